"""The synonyms of the search: one item for each version that staff saved."""

from dataclasses import dataclass

from products.adapters.dynamodb.calls import IS_NEW, DynamoCalls
from products.adapters.dynamodb.items import Item
from products.documents import format_timestamp, parse_timestamp
from products.search.editing import SavedSynonyms

PARTITION = "SYNONYMS"


@dataclass(frozen=True, slots=True)
class DynamoSynonyms(DynamoCalls):
    """All versions, in one partition of the product table."""

    def versions(self, limit: int) -> list[SavedSynonyms]:
        """Return the newest versions, newest first."""
        return [_to_saved(item) for item in self._query_newest(PARTITION, limit)]

    def add(self, saved: SavedSynonyms) -> bool:
        """Write a version; return False when it exists."""
        return self._put_item(self._put_request(_to_item(saved), IS_NEW))


def _to_item(saved: SavedSynonyms) -> Item:
    return {
        "PK": PARTITION,
        "SK": f"{saved.version:08}",
        "text": saved.text,
        "savedBy": saved.saved_by,
        "savedAt": format_timestamp(saved.saved_at) if saved.saved_at else None,
    }


def _to_saved(item: Item) -> SavedSynonyms:
    saved_at = item["savedAt"]
    return SavedSynonyms(
        text=str(item["text"]),
        version=int(item["SK"]),
        saved_by=str(item["savedBy"]),
        saved_at=parse_timestamp(saved_at) if saved_at else None,
    )
