"""Name claims: the items that keep product names unique."""

from collections.abc import Iterable
from dataclasses import dataclass

from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.calls import IS_NEW, DynamoCalls
from products.adapters.dynamodb.items import CLAIM, Item, claim_key
from products.changes import Change
from products.product import normalised_name

IS_OWN_CLAIM = "productId = :owner"
IS_NEW_OR_OWN_CLAIM = f"{IS_NEW} OR {IS_OWN_CLAIM}"


@dataclass(frozen=True, slots=True)
class DynamoNameClaims(DynamoCalls):
    """Claims of names. A claim's key is the normalised name, so a second claim is refused."""

    def name_owner(self, name: str) -> str | None:
        """Return the id of the product that holds the name."""
        claim = self._get_item(claim_key(name))
        return str(claim["productId"]) if claim else None

    def name_owners(self, names: Iterable[str]) -> dict[str, str]:
        """Return the ids of the products that hold these names, by normalised name."""
        claims = self._claims_by_name(names)
        return {name: str(claim["productId"]) for name, claim in claims.items()}

    def _claims_by_name(self, names: Iterable[str]) -> dict[str, Item]:
        name_by_key = {claim_key(name)["PK"]: normalised_name(name) for name in names}
        claims = self._batch_get([{"PK": key, "SK": CLAIM} for key in name_by_key])
        return {name_by_key[claim["PK"]]: claim for claim in claims}

    def _claim_writes(self, change: Change) -> list[Item]:
        """Return the writes that claim the new name of a product and free its old one.

        They belong into the transaction that appends the change.
        """
        old = change.before.name if change.before else None
        new = change.after.name
        if old is not None and normalised_name(old) == normalised_name(new):
            return []
        owner = {":owner": change.product_id}
        claim = {**claim_key(new), "productId": change.product_id}
        writes = [self._put_request(claim, IS_NEW_OR_OWN_CLAIM, owner)]
        if old is not None:
            writes.append(self._free_request(old, change.product_id))
        return writes

    def _free_request(self, name: str, product_id: str) -> Item:
        """Return the Delete of a claim that the product still holds."""
        return {
            "Delete": {
                "TableName": self.name,
                "Key": encoded(claim_key(name)),
                "ConditionExpression": IS_OWN_CLAIM,
                "ExpressionAttributeValues": encoded({":owner": product_id}),
            }
        }
