"""The shapes of requests and responses, for the OpenAPI contract only.

No view validates with them, because the rules are in the core.
"""

from typing import TypedDict, Unpack

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    DictField,
    IntegerField,
    ListField,
    RegexField,
    Serializer,
)

from products.changes import ChangeType, Effect
from products.currency import CURRENCIES
from products.product import LENGTHS, MAX_FEATURES, BillingCycle

AMOUNT = {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,2})?$", "example": "1500.00"}
AMOUNT_OR_NULL = {**AMOUNT, "nullable": True}
ANY_VALUE: dict[str, object] = {}
PRODUCT_ID = "^[A-Za-z0-9_-]{1,64}$"


@extend_schema_field(AMOUNT)
class Amount(CharField):
    """An amount as text, because many clients read JSON numbers as floats."""


@extend_schema_field(AMOUNT_OR_NULL)
class AmountOrNull(CharField):
    """An amount, or null."""


@extend_schema_field(ANY_VALUE)
class Anything(CharField):
    """A value of any kind."""


class FieldOptions(TypedDict, total=False):
    """The keyword arguments of a serializer field that are used here."""

    required: bool
    allow_null: bool
    help_text: str


def _text(field: str, **options: Unpack[FieldOptions]) -> CharField:
    min_length, max_length = LENGTHS[field]
    return CharField(min_length=min_length, max_length=max_length, **options)


def _features(*, required: bool = True) -> ListField:
    return ListField(child=_text("feature"), max_length=MAX_FEATURES, required=required)


class ProductEdits(Serializer):
    """The fields that may be changed; omitted fields stay unchanged."""

    name = _text("name", required=False, help_text="Unique; case and spaces are ignored.")
    description = _text("description", required=False)
    price = Amount(required=False, help_text="Due at purchase.")
    renewalPrice = AmountOrNull(
        required=False, help_text="Due each cycle; null for a one-time product."
    )
    currency = ChoiceField(
        sorted(CURRENCIES), required=False, help_text="ISO 4217; ZAR by default."
    )
    billingCycle = ChoiceField(list(BillingCycle), required=False)
    period = _text(
        "period", required=False, allow_null=True, help_text="Derived from the prices when omitted."
    )
    features = _features(required=False)
    active = BooleanField(required=False)
    imageUrl = CharField(
        required=False,
        allow_null=True,
        help_text="As returned, or null; staff upload images in the admin.",
    )
    version = IntegerField(
        required=False,
        min_value=1,
        help_text="The version you started from; later changes by others are merged.",
    )
    productId = CharField(required=False, help_text="As returned; it can't be changed.")
    createdAt = CharField(required=False, help_text="As returned; it can't be changed.")
    updatedAt = CharField(required=False, help_text="As returned; it can't be changed.")
    updatedBy = CharField(required=False, help_text="As returned; it can't be changed.")


class NewProduct(Serializer):
    """A product to be created."""

    productId = RegexField(PRODUCT_ID, required=False, help_text="Generated when omitted.")
    name = _text("name")
    description = _text("description")
    price = Amount()
    renewalPrice = AmountOrNull(required=False)
    currency = ChoiceField(sorted(CURRENCIES), required=False)
    billingCycle = ChoiceField(list(BillingCycle), required=False)
    period = _text("period", required=False, allow_null=True)
    features = _features(required=False)
    active = BooleanField(required=False)
    imageUrl = CharField(required=False, allow_null=True)


class Product(Serializer):
    """A product at one version."""

    productId = CharField()
    name = CharField()
    description = CharField()
    price = Amount()
    renewalPrice = AmountOrNull()
    currency = ChoiceField(sorted(CURRENCIES))
    billingCycle = ChoiceField(list(BillingCycle))
    period = CharField()
    features = ListField(child=CharField())
    active = BooleanField()
    imageUrl = CharField(allow_null=True)
    version = IntegerField(min_value=1)
    createdAt = DateTimeField()
    updatedAt = DateTimeField()
    updatedBy = CharField(required=False, help_text="For staff only.")


SearchState = inline_serializer(
    "SearchState",
    {
        "source": ChoiceField(["index", "table"]),
        "completeUpTo": DateTimeField(help_text="Later changes may be missing."),
    },
    required=False,
)


class ProductPage(Serializer):
    """One page of the list."""

    products = Product(many=True)
    count = IntegerField()
    moreAvailable = BooleanField()
    nextStartAt = CharField(allow_null=True)
    search = SearchState  # only in responses to q


class ReceiptSummary(Serializer):
    """What was accepted, and the URL of its receipt."""

    productId = CharField()
    version = IntegerField(min_value=1)
    changeId = CharField()
    status = ChoiceField(["accepted", "stored", "complete", "failed"])
    statusUrl = CharField()


class EffectState(Serializer):
    """The state of one effect of a change."""

    state = ChoiceField(["pending", "retrying", "failed", "done", "discarded", "not configured"])
    at = DateTimeField(allow_null=True)
    error = CharField(required=False)
    attempts = IntegerField(required=False)
    lastTriedAt = DateTimeField(required=False)
    discardedBy = CharField(required=False, help_text="Who discarded this effect.")
    reason = CharField(required=False, help_text="Why it was discarded.")


class Difference(Serializer):
    """A field before and after a change."""

    before = Anything(allow_null=True)
    after = Anything(allow_null=True)


class Change(ReceiptSummary):
    """The receipt: who changed what, and the state of each effect."""

    changeType = ChoiceField(list(ChangeType))
    user = CharField()
    source = CharField()  # type: ignore[assignment] # DRF removes fields from the class
    requestId = CharField()
    reason = CharField(allow_null=True, help_text="The writer's reason, if given.")
    acceptedAt = DateTimeField()
    effects = inline_serializer("Effects", {str(effect): EffectState() for effect in Effect})
    changed = DictField(child=Difference())
    before = Product(allow_null=True)
    after = Product()


class Changes(Serializer):
    """One page of a product's history."""

    changes = Change(many=True)
    count = IntegerField()
    moreAvailable = BooleanField()
    nextStartAt = CharField(allow_null=True)


class DryRun(Serializer):
    """What a write would change."""

    dryRun = BooleanField()
    changeType = ChoiceField(list(ChangeType), allow_null=True)
    changed = DictField(child=Difference())
    product = Product()


class Clash(Serializer):
    """The values of a field that two writers changed."""

    base = Anything(allow_null=True)
    yours = Anything(allow_null=True)
    theirs = Anything(allow_null=True)


class Error(Serializer):
    """The form of all error responses."""

    error = CharField()
    message = CharField()
    errors = DictField(child=ListField(child=CharField()))  # type: ignore[assignment] # as above
    requestId = CharField()
    conflicts = DictField(
        child=Clash(),
        required=False,
        help_text="With 409: the fields that somebody else changed too.",
    )
    version = IntegerField(required=False, help_text="With 409 and 412: the newest version.")
