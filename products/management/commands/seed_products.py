"""``manage.py seed_products``: create the five hosting packages, as ordinary writes."""

from typing import Any

from products.bootstrap import acceptance, new_id
from products.changes import Origin
from products.errors import NameTaken, ProductExists
from products.management.command import CatalogueCommand
from products.permissions import ALL_PERMISSIONS

SEED: dict[str, dict[str, Any]] = {
    "PROD-ENTRY": {
        "name": "Entry",
        "description": (
            "A home for one small WordPress site: your domain, a fast start and nothing "
            "to look after."
        ),
        "price": "95.00",
        "billing_cycle": "yearly",
        "period": "per domain/year",
        "features": [
            "One WordPress site",
            "5 GB SSD storage",
            "Free SSL certificate",
            "Weekly backups",
        ],
    },
    "PROD-BASIC": {
        "name": "Basic",
        "description": (
            "WordPress hosting for a first business site, set up for you and kept up to date."
        ),
        "price": "1500.00",
        "renewal_price": "1000.00",
        "billing_cycle": "yearly",
        "features": [
            "One WordPress site, installed and themed",
            "10 GB SSD storage",
            "5 mailboxes on your domain",
            "Free SSL certificate",
            "Daily backups, kept 7 days",
        ],
    },
    "PROD-STANDARD": {
        "name": "Standard",
        "description": (
            "For a growing business: more room, a staging copy to try changes on, and "
            "e-mail support."
        ),
        "price": "2500.00",
        "renewal_price": "1500.00",
        "billing_cycle": "yearly",
        "features": [
            "Up to 3 WordPress sites",
            "25 GB SSD storage",
            "25 mailboxes on your domain",
            "Staging copy of each site",
            "Daily backups, kept 14 days",
            "E-mail support within one working day",
        ],
    },
    "PROD-PREMIUM": {
        "name": "Premium",
        "description": (
            "Managed WordPress for sites that earn money: tuned, watched, and restored when needed."
        ),
        "price": "3500.00",
        "renewal_price": "2500.00",
        "billing_cycle": "yearly",
        "features": [
            "Up to 10 WordPress sites",
            "100 GB SSD storage",
            "Content delivery network",
            "WooCommerce tuning",
            "Malware scanning and removal",
            "Hourly backups, kept 30 days",
            "Telephone support in office hours",
        ],
    },
    "PROD-ENTERPRISE": {
        "name": "Enterprise",
        "description": (
            "Dedicated resources, a named engineer and agreed response times for sites "
            "that must not stop."
        ),
        "price": "5000.00",
        "renewal_price": "3500.00",
        "billing_cycle": "yearly",
        "features": [
            "Unlimited WordPress sites",
            "500 GB SSD storage on dedicated resources",
            "99.9 % uptime, agreed in writing",
            "Named engineer and migration service",
            "Web application firewall",
            "Hourly backups, kept 90 days, in two regions",
            "Support around the clock",
        ],
    },
}


class Command(CatalogueCommand):
    help = "Create the seed products that do not exist yet."

    def handle(self, *args: Any, **options: Any) -> str:
        created = 0
        for product_id, fields in SEED.items():
            if self._create(product_id, fields):
                created += 1
        return f"{created} created, {len(SEED) - created} already exist"

    def _create(self, product_id: str, fields: dict[str, Any]) -> bool:
        """Create one product; return False when its id or its name is taken."""
        origin = Origin(
            actor="seed", source="command", request_id=new_id(), permissions=ALL_PERMISSIONS
        )
        try:
            acceptance().create(product_id, fields, origin)
        except (ProductExists, NameTaken):
            return False
        return True
