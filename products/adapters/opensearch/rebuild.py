"""A new index beside the standing one, which takes its place in one step."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from opensearchpy import OpenSearch

from products.adapters.opensearch.documents import INDEX_BODY, calling, fill, next_alias
from products.product import Product

PAGE = 500  # documents of the standing index compared at once


@dataclass(frozen=True, slots=True)
class OpenSearchRebuild:
    client: OpenSearch
    alias: str

    def begin(self, number: str) -> None:
        """Make the new index, to which every writer writes as well from now on. What an interrupted run left goes."""
        with calling():
            for name, index in self._indexes().items():
                if self.alias not in index["aliases"]:
                    self.client.indices.delete(index=name, ignore=[404])
            body = INDEX_BODY | {"aliases": {next_alias(self.alias): {}}}
            self.client.indices.create(index=f"{self.alias}-{number}", body=body)

    def fill(self, products: Iterable[Product]) -> int:
        """Into the new index; a later version that a writer has put there meanwhile stays."""
        return fill(self.client, next_alias(self.alias), products, refresh=False)

    def outdated(self) -> Iterator[tuple[str, int]]:
        """Ids and versions that the standing index holds, and the new one lacks or holds in an older version."""
        if not self._standing():
            return
        with calling():
            self.client.indices.refresh(index=self.alias)
        for part in self._pages():
            with calling():
                docs = self.client.mget(
                    index=next_alias(self.alias), body={"ids": list(part)}, _source=False
                )["docs"]
            held = {doc["_id"]: int(doc.get("_version", 0)) for doc in docs}
            yield from (
                (product_id, version)
                for product_id, version in part.items()
                if held[product_id] < version
            )

    def _pages(self) -> Iterator[dict[str, int]]:
        body: dict[str, Any] = {
            "size": PAGE,
            "_source": False,
            "version": True,
            "sort": [{"productId": "asc"}],
        }
        while True:
            with calling():
                hits = self.client.search(index=self.alias, body=body)["hits"]["hits"]
            if not hits:
                return
            yield {hit["_id"]: int(hit["_version"]) for hit in hits}
            body["search_after"] = hits[-1]["sort"]

    def switch(self, number: str) -> None:
        """In one step: searches and writes go to the new index, and the old one is gone. EngineAway when the new one is
        not there any more, since another run has begun."""
        new = f"{self.alias}-{number}"
        actions: list[dict[str, Any]] = [
            {"add": {"index": new, "alias": self.alias}},
            {"remove": {"index": new, "alias": next_alias(self.alias)}},
            *({"remove_index": {"index": name}} for name in self._standing()),
        ]
        with calling():
            self.client.indices.refresh(index=new)
            self.client.indices.update_aliases(body={"actions": actions})

    def count(self) -> int:
        """Documents of the standing index: about as many as the new one will have."""
        with calling():
            return int(self.client.count(index=self.alias)["count"]) if self._standing() else 0

    def _standing(self) -> list[str]:
        return [name for name, index in self._indexes().items() if self.alias in index["aliases"]]

    def _indexes(self) -> dict[str, Any]:
        """Ours by name: the alias, a hyphen, a number. Another environment's may begin with the same letters."""
        with calling():
            found = self.client.indices.get_alias(index=f"{self.alias}-*")
        return {
            name: index
            for name, index in found.items()
            if re.fullmatch(rf"{re.escape(self.alias)}-\d+", name)
        }
