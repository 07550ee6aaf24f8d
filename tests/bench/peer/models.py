"""The peer's product, modelled as in PynamoDB's documentation."""

import os

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model


class ByCreated(GlobalSecondaryIndex):  # type: ignore[no-untyped-call] # PynamoDB has no types here
    class Meta:
        index_name = "by-created"
        projection = AllProjection()
        billing_mode = "PAY_PER_REQUEST"

    activeFlag = UnicodeAttribute(hash_key=True)
    createdAt = UnicodeAttribute(range_key=True)


class Product(Model):
    class Meta:
        table_name = "bench-peer"
        region = os.environ["AWS_REGION"]
        host = os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
        billing_mode = "PAY_PER_REQUEST"

    productId = UnicodeAttribute(hash_key=True)
    activeFlag = UnicodeAttribute()
    name = UnicodeAttribute()
    description = UnicodeAttribute()
    price = UnicodeAttribute()  # as text: PynamoDB's numbers are floats
    renewalPrice = UnicodeAttribute(null=True)
    currency = UnicodeAttribute()
    billingCycle = UnicodeAttribute()
    period = UnicodeAttribute()
    features = ListAttribute(of=UnicodeAttribute)
    version = NumberAttribute()
    createdAt = UnicodeAttribute()
    updatedAt = UnicodeAttribute()
    by_created = ByCreated()
