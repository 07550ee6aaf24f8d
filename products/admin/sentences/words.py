"""The words in sentences of the core that are not the same in the admin."""

from collections.abc import Callable

from django.utils.translation import gettext, gettext_noop

from products.admin.formatting import field_label
from products.admin.rights import WORDS as PERMISSIONS

DEPENDENCIES = {
    "DynamoDB": gettext_noop("The catalogue"),
    "OpenSearch": gettext_noop("Search"),
    "SQS": gettext_noop("The queue of changes"),
    "CloudFront": gettext_noop("The website"),
    "S3": gettext_noop("The audit trail"),
    "SSM": gettext_noop("The list of settings"),
    "The SQL database": gettext_noop("The user database"),
    "The image storage": gettext_noop("The image storage"),
    "The scaling of images": gettext_noop("The scaling of images"),
    "The token issuer": gettext_noop("The token issuer"),
}
STATES = {
    "planning": gettext_noop("being read"),
    "planned": gettext_noop("not yet applied"),
    "running": gettext_noop("running"),
    "done": gettext_noop("done"),
    "cancelled": gettext_noop("cancelled"),
    "scheduled": gettext_noop("coming up"),
    "starting": gettext_noop("starting"),
    "ending": gettext_noop("ending"),
    "ended": gettext_noop("done"),
    "missed": gettext_noop("missed"),
}
EFFECTS = {
    "stored": gettext_noop("saved"),
    "purged": gettext_noop("shown on the website"),
    "searchable": gettext_noop("found by search"),
    "audited": gettext_noop("put into the audit trail"),
}
MARKS = {
    "decimal point": gettext_noop("decimal point"),
    "decimal comma": gettext_noop("decimal comma"),
}


def _from(table: dict[str, str]) -> Callable[[str], str]:
    return lambda text: gettext(table[text]) if text in table else text


def _field(name: str) -> str:
    return field_label(name).lower()


def _fields(names: str) -> str:
    return ", ".join(map(_field, names.split(", ")))


def _permissions(names: str) -> str:
    return "”, “".join(str(PERMISSIONS.get(name, name)) for name in names.split(" and "))


TRANSLATORS: dict[str, Callable[[str], str]] = {
    "dependency": _from(DEPENDENCIES),
    "state": _from(STATES),
    "effect": _from(EFFECTS),
    "mark": _from(MARKS),
    "label": lambda text: field_label(text.lower().replace(" ", "_")),
    "field": _field,
    "fields": _fields,
    "permissions": _permissions,
}
"""By the name of a placeholder, how its text is said in the admin."""
