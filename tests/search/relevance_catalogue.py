"""A catalogue of 80 products of a web-hosting company, for searches with known answers."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from deploy.local.sample_catalogue import sample_product
from products.product import BillingCycle, Product

ROWS = Path(__file__).with_name("relevance_catalogue.txt")
CYCLES = {
    "m": BillingCycle.MONTHLY,
    "y": BillingCycle.YEARLY,
    "1": BillingCycle.ONE_TIME,
}


def catalogue() -> list[Product]:
    """Return the products. Their other values do not matter to a search."""
    return [_product(number, row) for number, row in enumerate(ROWS.read_text().splitlines())]


def _product(number: int, row: str) -> Product:
    product_id, name, price, description, features = (part.strip() for part in row.split("|"))
    amount, cycle = price.split()
    return replace(
        sample_product(number),
        product_id=product_id,
        name=name,
        price=Decimal(amount).quantize(Decimal("0.01")),
        renewal_price=None,
        billing_cycle=CYCLES[cycle],
        description=description,
        features=tuple(feature.strip() for feature in features.split(";")),
    )
