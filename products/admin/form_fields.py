"""The fields of the product form: texts as they were typed. Only the core validates them."""

from django import forms

from products.admin.widgets import TextareaWidget, TextInputWidget
from products.product import LENGTHS, MAX_FEATURES


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


def length_hint(field: str) -> str:
    """Return the limits of a text, such as "3 to 100 characters"."""
    minimum, maximum = LENGTHS[field]
    return f"{minimum} to {maximum} characters"


def line_field(label: str, size: int, help_text: str = "") -> RawCharField:
    """Return the field of a text on one line."""
    return RawCharField(
        label=label,
        required=False,
        help_text=help_text,
        widget=TextInputWidget(attrs={"size": size}),
    )
