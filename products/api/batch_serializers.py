"""The shapes of batches and their results, for the OpenAPI contract only."""

from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DictField,
    IntegerField,
    ListField,
    RegexField,
    Serializer,
)

from products.api.serializers import PRODUCT_ID, Clash, Difference, Error, Product, ProductEdits
from products.batch import MAX_WRITES
from products.changes import ChangeType


class BatchItem(Serializer):
    """One write of a batch."""

    action = ChoiceField(["create", "update", "deactivate", "restore"])
    productId = RegexField(PRODUCT_ID, required=False, help_text="Required except with create.")
    product = ProductEdits(required=False, help_text="With create and update: the fields.")
    ifVersion = IntegerField(
        required=False,
        min_value=1,
        help_text="Like If-Match: the version the product must still have.",
    )


class NewBatch(Serializer):
    """Up to 100 writes."""

    mode = ChoiceField(
        ["each", "all"],
        help_text="Each item on its own, in order; or all or none, in one transaction.",
    )
    items = ListField(child=BatchItem(), min_length=1, max_length=MAX_WRITES)


class BatchResult(Serializer):
    """The result of one item: the status code and content of the same write sent alone."""

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
    errors = DictField(  # type: ignore[assignment] # DRF removes fields from the class
        child=ListField(child=CharField()), required=False
    )
    requestId = CharField(required=False)
    conflicts = DictField(child=Clash(), required=False)


class BatchResults(Serializer):
    """The results, in the order of the items."""

    results = BatchResult(many=True)
    accepted = IntegerField()
    unchanged = IntegerField()
    refused = IntegerField()


class BatchError(Error):
    """A batch that was refused as a whole; `results` shows the items that caused it, if any."""

    results = BatchResult(many=True, required=False)
    accepted = IntegerField(required=False)
    unchanged = IntegerField(required=False)
    refused = IntegerField(required=False)
