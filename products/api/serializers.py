"""The shapes of requests and answers, for the contract only: no view uses them, since the core knows the rules."""

from typing import Any

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

from products.batch import MAX_WRITES
from products.changes import ChangeType, Effect
from products.currency import CURRENCIES
from products.product import LENGTHS, MAX_FEATURES, BillingCycle

AMOUNT = {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,2})?$", "example": "1500.00"}
AMOUNT_OR_NULL = {**AMOUNT, "nullable": True}
ANY: dict[str, Any] = {}


@extend_schema_field(AMOUNT)
class Amount(CharField):
    """An amount as text, since many a JSON reader makes a float of a number."""


@extend_schema_field(AMOUNT_OR_NULL)
class AmountOrNull(CharField):
    """An amount, or null."""


@extend_schema_field(ANY)
class Anything(CharField):
    """A value of any kind."""


def _text(field: str, **more: Any) -> CharField:
    least, most = LENGTHS[field]
    return CharField(min_length=least, max_length=most, **more)


def _features(**more: Any) -> ListField:
    return ListField(child=_text("feature"), max_length=MAX_FEATURES, **more)


class ProductEdits(Serializer):
    """What may be changed; fields left out stay as they are."""

    name = _text("name", required=False, help_text="Unique, whatever its case and spaces.")
    description = _text("description", required=False)
    price = Amount(required=False, help_text="Due at purchase.")
    renewalPrice = AmountOrNull(
        required=False, help_text="Due each cycle; null for a one-time product."
    )
    currency = ChoiceField(
        sorted(CURRENCIES), required=False, help_text="ISO 4217; ZAR unless given."
    )
    billingCycle = ChoiceField(list(BillingCycle), required=False)
    period = _text(
        "period", required=False, allow_null=True, help_text="Derived from the prices when absent."
    )
    features = _features(required=False)
    active = BooleanField(required=False)
    imageUrl = CharField(
        required=False, allow_null=True, help_text="As read, or null; images are uploaded by staff."
    )
    version = IntegerField(
        required=False,
        min_value=1,
        help_text="The version you started from; what changed since is merged.",
    )
    productId = CharField(required=False, help_text="As read; it can't be changed.")
    createdAt = CharField(required=False, help_text="As read; it can't be changed.")
    updatedAt = CharField(required=False, help_text="As read; it can't be changed.")
    updatedBy = CharField(required=False, help_text="As read; it can't be changed.")


class NewProduct(Serializer):
    """A product to be created."""

    productId = RegexField("^[A-Za-z0-9_-]{1,64}$", required=False, help_text="Made when absent.")
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
    """A product as of its version."""

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
        "completeUpTo": DateTimeField(help_text="What was accepted later may be missing."),
    },
    required=False,
)


class ProductPage(Serializer):
    """One page of the list."""

    products = Product(many=True)
    count = IntegerField()
    moreAvailable = BooleanField()
    nextStartAt = CharField(allow_null=True)
    search = SearchState  # in answers to q only


class ReceiptSummary(Serializer):
    """What was accepted, and where to follow it."""

    productId = CharField()
    version = IntegerField(min_value=1)
    changeId = CharField()
    status = ChoiceField(["accepted", "stored", "complete", "failed"])
    statusUrl = CharField()


class EffectState(Serializer):
    """How far one effect of a change has come."""

    state = ChoiceField(["pending", "retrying", "failed", "done", "discarded", "not configured"])
    at = DateTimeField(allow_null=True)
    error = CharField(required=False)
    attempts = IntegerField(required=False)
    lastTriedAt = DateTimeField(required=False)
    discardedBy = CharField(required=False, help_text="Who gave this effect up.")
    reason = CharField(required=False, help_text="Why it was given up.")


class Difference(Serializer):
    before = Anything(allow_null=True)
    after = Anything(allow_null=True)


class Change(ReceiptSummary):
    """The receipt: who changed what, and the state of each effect."""

    changeType = ChoiceField(list(ChangeType))
    user = CharField()
    source = CharField()  # type: ignore[assignment] # a field of this name, taken off the class by DRF
    requestId = CharField()
    reason = CharField(allow_null=True, help_text="Why, where the writer said so.")
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
    """What a write would do."""

    dryRun = BooleanField()
    changeType = ChoiceField(list(ChangeType), allow_null=True)
    changed = DictField(child=Difference())
    product = Product()


class Clash(Serializer):
    base = Anything(allow_null=True)
    yours = Anything(allow_null=True)
    theirs = Anything(allow_null=True)


class Error(Serializer):
    """Every answer that is no success."""

    error = CharField()
    message = CharField()
    errors = DictField(child=ListField(child=CharField()))  # type: ignore[assignment] # as above
    requestId = CharField()
    conflicts = DictField(
        child=Clash(), required=False, help_text="With 409: fields somebody else changed too."
    )
    version = IntegerField(required=False, help_text="With 409 and 412: the newest version.")


class BatchItem(Serializer):
    """One write of a batch."""

    action = ChoiceField(["create", "update", "deactivate", "restore"])
    productId = RegexField(
        "^[A-Za-z0-9_-]{1,64}$", required=False, help_text="Needed by all but create."
    )
    product = ProductEdits(required=False, help_text="With create and update: the fields.")
    ifVersion = IntegerField(
        required=False, min_value=1, help_text="As If-Match: the version it must still have."
    )


class NewBatch(Serializer):
    """Up to 100 writes."""

    mode = ChoiceField(
        ["each", "all"],
        help_text="Each by itself in this order, or all or none in one transaction.",
    )
    items = ListField(child=BatchItem(), min_length=1, max_length=MAX_WRITES)


class BatchResult(Serializer):
    """What came of one item: the code it would have had by itself, and what its body would have said."""

    code = IntegerField()
    productId = CharField(required=False)
    version = IntegerField(required=False)
    changeId = CharField(required=False)
    status = ChoiceField(["accepted", "stored", "complete", "failed"], required=False)
    statusUrl = CharField(required=False)
    product = Product(required=False)
    replayed = BooleanField(required=False)
    dryRun = BooleanField(required=False)
    changeType = ChoiceField(list(ChangeType), required=False, allow_null=True)
    changed = DictField(child=Difference(), required=False)
    error = CharField(required=False)
    message = CharField(required=False)
    errors = DictField(child=ListField(child=CharField()), required=False)  # type: ignore[assignment] # as above
    requestId = CharField(required=False)
    conflicts = DictField(child=Clash(), required=False)


class BatchResults(Serializer):
    """The results, in the order of the items."""

    results = BatchResult(many=True)
    accepted = IntegerField()
    unchanged = IntegerField()
    refused = IntegerField()


class BatchError(Error):
    """A batch that was refused as a whole; `results` tells which items refused it, where it came to that."""

    results = BatchResult(many=True, required=False)
    accepted = IntegerField(required=False)
    unchanged = IntegerField(required=False)
    refused = IntegerField(required=False)
