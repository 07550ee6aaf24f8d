"""The entries of the product form: their labels, boxes and choices."""

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldBooleanWidget

from products.admin.form_fields import LinesField, RawCharField, limits_of, line_field
from products.admin.widgets import SelectWidget, TextareaWidget
from products.currency import CURRENCIES, CURRENCY_SIGNS, DEFAULT_CURRENCY
from products.models import Product
from products.product import LENGTHS, MAX_FEATURES, BillingCycle

FIELDS = (
    "name",
    "description",
    "price",
    "renewal_price",
    "currency",
    "billing_cycle",
    "period",
    "features",
)
CODES = [*CURRENCY_SIGNS, *sorted(CURRENCIES - CURRENCY_SIGNS.keys())]
"""All currency codes; those with a sign, in which we sell, come first."""
CYCLES = {
    BillingCycle.ONE_TIME: gettext_lazy("One-time"),
    BillingCycle.MONTHLY: gettext_lazy("Monthly"),
    BillingCycle.YEARLY: gettext_lazy("Yearly"),
}


class ProductEntries(forms.ModelForm):
    """The entries. Which of them are allowed is decided by the core."""

    product_id = line_field(
        gettext_lazy("ID"),
        40,
        gettext_lazy(
            "Part of the product's address: letters, digits, - and _. It can't be changed."
        ),
    )
    active = forms.BooleanField(
        label=gettext_lazy("Visible to customers"),
        required=False,
        initial=True,
        widget=UnfoldBooleanWidget(),
        help_text=gettext_lazy(
            "Without it the product is saved as a draft, and only staff see it."
        ),
    )
    image = forms.FileField(label=gettext_lazy("Image"), required=False, widget=forms.FileInput)
    name = line_field(
        gettext_lazy("Name"),
        60,
        format_lazy(
            gettext_lazy("{minimum} to {maximum} characters; no other product may have it."),
            **limits_of("name"),
        ),
    )
    description = RawCharField(
        label=gettext_lazy("Description"),
        required=False,
        widget=TextareaWidget(
            attrs={"rows": 4, "cols": 80, "maxlength": LENGTHS["description"][1]}
        ),
        help_text=format_lazy(
            gettext_lazy("{minimum} to {maximum} characters."), **limits_of("description")
        ),
    )
    price = line_field(
        gettext_lazy("Price"), 12, gettext_lazy("Due at purchase, such as 1500.00 or 1 500,00.")
    )
    renewal_price = line_field(
        gettext_lazy("Renewal price"),
        12,
        gettext_lazy("Due each cycle; empty for a one-time product."),
    )
    currency = RawCharField(
        label=gettext_lazy("Currency"),
        initial=DEFAULT_CURRENCY,
        widget=SelectWidget(choices=[(code, code) for code in CODES]),
    )
    billing_cycle = RawCharField(
        label=gettext_lazy("Billing cycle"),
        widget=SelectWidget(choices=[(cycle.value, CYCLES[cycle]) for cycle in BillingCycle]),
    )
    period = line_field(
        gettext_lazy("Price note"),
        40,
        gettext_lazy("Replaces the automatic text, which the empty box shows."),
    )
    features = LinesField(
        label=gettext_lazy("Features"),
        required=False,
        help_text=format_lazy(
            gettext_lazy(
                "At most {count}, of {minimum} to {maximum} characters each; one per line."
            ),
            count=MAX_FEATURES,
            **limits_of("feature"),
        ),
    )
    reason = line_field(
        gettext_lazy("Reason (optional)"),
        60,
        gettext_lazy("Kept with this change in the history and the audit trail."),
    )
    base_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Product
        fields = ("product_id", *FIELDS)
