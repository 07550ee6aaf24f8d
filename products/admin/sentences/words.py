"""The words in sentences of the core that are not the same in the admin."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext_lazy

from products.admin.formatting import JOB_STATES, PLAN_STATES, field_label
from products.admin.rights import WORDS as PERMISSIONS

DEPENDENCIES = {
    "DynamoDB": gettext_lazy("The catalogue"),
    "OpenSearch": gettext_lazy("Search"),
    "SQS": gettext_lazy("The queue of changes"),
    "CloudFront": gettext_lazy("The website"),
    "S3": gettext_lazy("The audit trail"),
    "SSM": gettext_lazy("The list of settings"),
    "The SQL database": gettext_lazy("The user database"),
    "The image storage": gettext_lazy("The image storage"),
    "The scaling of images": gettext_lazy("The scaling of images"),
    "The token issuer": gettext_lazy("The token issuer"),
}
EFFECTS = {
    "stored": gettext_lazy("saved"),
    "purged": gettext_lazy("shown on the website"),
    "searchable": gettext_lazy("found by search"),
    "audited": gettext_lazy("put into the audit trail"),
}
MARKS = {
    "decimal point": gettext_lazy("decimal point"),
    "decimal comma": gettext_lazy("decimal comma"),
}


def _from(table: Mapping[str, object]) -> Callable[[str], str]:
    return lambda text: str(table.get(text, text))


def _field(name: str) -> str:
    return field_label(name).lower()


def _fields(names: str) -> str:
    return ", ".join(map(_field, names.split(", ")))


def _permissions(names: str) -> str:
    return "”, “".join(str(PERMISSIONS.get(name, name)) for name in names.split(" and "))


TRANSLATORS: dict[str, Callable[[str], str]] = {
    "dependency": _from(DEPENDENCIES),
    "state": _from(JOB_STATES | PLAN_STATES),
    "effect": _from(EFFECTS),
    "mark": _from(MARKS),
    "label": lambda text: field_label(text.lower().replace(" ", "_")),
    "field": _field,
    "fields": _fields,
    "permissions": _permissions,
}
"""By the name of a placeholder, how its text is said in the admin."""
