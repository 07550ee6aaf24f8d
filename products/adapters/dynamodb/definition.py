"""The definition of the DynamoDB table: its keys and indexes."""

from products.adapters.dynamodb.items import INDEX_KEYS, PROJECTIONS, Item


def table_definition(name: str) -> Item:
    """Return the arguments of CreateTable; Terraform declares the same table."""
    index_keys = (key for pair in INDEX_KEYS.values() for key in pair)
    keys = dict.fromkeys(["PK", "SK", *index_keys])  # two indexes have the same sort key
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        "KeySchema": _key_schema("PK", "SK"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index,
                "KeySchema": _key_schema(*pair),
                "Projection": {"ProjectionType": PROJECTIONS[index]},
            }
            for index, pair in INDEX_KEYS.items()
        ],
        "SSESpecification": {"Enabled": True},
    }


def _key_schema(hash_key: str, range_key: str) -> list[Item]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]
