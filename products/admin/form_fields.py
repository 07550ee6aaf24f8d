"""The fields of the product form: texts as they were typed. Only the core validates them."""

from typing import TYPE_CHECKING

from django import forms

from products.admin.widgets import TextareaWidget, TextInputWidget
from products.product import LENGTHS, MAX_FEATURES

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


class RawCharField(forms.CharField):
    """A text as it was typed. Only the core validates it, with its own error sentences."""

    def run_validators(self, value: object) -> None:
        pass


class LinesField(RawCharField):
    """A list of texts, one on each line."""

    widget = TextareaWidget(attrs={"rows": 6, "cols": 60, "data-lines": MAX_FEATURES})

    def prepare_value(self, value: object) -> object:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: object) -> list[str]:  # type: ignore[override] # a list
        # str.splitlines also splits at characters that a feature may contain, such as U+2028.
        # A feature that nobody edited would then change.
        lines = str(value or "").replace("\r", "\n").split("\n")
        return [line.strip() for line in lines if line.strip()]


def limits_of(field: str) -> dict[str, int]:
    """Return how many characters a text may have, for a sentence that names both numbers."""
    minimum, maximum = LENGTHS[field]
    return {"minimum": minimum, "maximum": maximum}


def line_field(label: "_StrOrPromise", size: int, help_text: "_StrOrPromise" = "") -> RawCharField:
    """Return the field of a text on one line."""
    return RawCharField(
        label=label,
        required=False,
        help_text=help_text,
        widget=TextInputWidget(attrs={"size": size}),
    )
