"""The rebuild of the search index: a new index, which replaces the live one in one step."""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from opensearchpy import OpenSearch

from products.adapters.opensearch.documents import (
    INDEX_BODY,
    index_products,
    next_alias,
    translate_errors,
)
from products.errors import DependencyUnavailable
from products.product import Product

logger = logging.getLogger(__name__)

PAGE_SIZE = 500  # documents that are compared in one request


@dataclass(frozen=True, slots=True)
class OpenSearchRebuild:
    """A rebuild of the index behind ``alias``, the live index.

    Raises: DependencyUnavailable or EffectRefused, from every call.
    """

    client: OpenSearch
    alias: str

    @property
    def _next(self) -> str:
        return next_alias(self.alias)

    def begin(self, number: str) -> None:
        """Create the new index, which every writer fills as well from now on.

        The index of an interrupted rebuild is deleted.
        """
        indexes = self._indexes()
        unused = [name for name, index in indexes.items() if self.alias not in index["aliases"]]
        interrupted = [name for name in unused if self._next in indexes[name]["aliases"]]
        with translate_errors():
            if interrupted:
                self.client.indices.delete_alias(index=",".join(interrupted), name=self._next)
            body = INDEX_BODY | {"aliases": {self._next: {}}}
            self.client.indices.create(index=f"{self.alias}-{number}", body=body)
        self._delete(unused)

    def fill(self, products: Iterable[Product]) -> int:
        """Index products in the new index; return how many documents are new.

        A later version that another writer has put there stays.
        """
        return index_products(self.client, self._next, products, refresh=False)

    def outdated(self) -> Iterator[tuple[str, int]]:
        """Yield the ids and versions in the live index that are newer than in the new one."""
        if not self._live_indexes():
            return
        with translate_errors():
            self.client.indices.refresh(index=self.alias)
        for live_versions in self._version_pages():
            new_versions = self._new_versions(list(live_versions))
            for product_id, version in live_versions.items():
                if new_versions[product_id] < version:
                    yield product_id, version

    def _version_pages(self) -> Iterator[dict[str, int]]:
        """Yield pages of the live index: document versions by id."""
        body: dict[str, Any] = {
            "size": PAGE_SIZE,
            "_source": False,
            "version": True,
            "sort": [{"productId": "asc"}],
        }
        while True:
            with translate_errors():
                hits = self.client.search(index=self.alias, body=body)["hits"]["hits"]
            if not hits:
                return
            yield {hit["_id"]: int(hit["_version"]) for hit in hits}
            body["search_after"] = hits[-1]["sort"]

    def _new_versions(self, product_ids: list[str]) -> dict[str, int]:
        """Return the versions in the new index by id; 0 for a missing document."""
        with translate_errors():
            response = self.client.mget(index=self._next, body={"ids": product_ids}, _source=False)
        documents = response["docs"]
        return {document["_id"]: int(document.get("_version", 0)) for document in documents}

    def switch(self, number: str) -> None:
        """Make the new index the live one in one step, and then delete the old one.

        OpenSearch refuses to delete an index while a snapshot of it is taken. Such an index is
        only logged here, and deleted by the next rebuild.

        Raises: DependencyUnavailable when the new index is gone, because another rebuild began.
        """
        new_index, indexes = f"{self.alias}-{number}", self._indexes()
        old_indexes = [name for name, index in indexes.items() if self.alias in index["aliases"]]
        if new_index not in indexes or self._next not in indexes[new_index]["aliases"]:
            raise DependencyUnavailable("The new search index", "belongs to no rebuild any more")
        actions: list[dict[str, Any]] = [
            {"add": {"index": new_index, "alias": self.alias}},
            {"remove": {"index": new_index, "alias": self._next}},
            *({"remove": {"index": name, "alias": self.alias}} for name in old_indexes),
        ]
        with translate_errors():
            self.client.indices.refresh(index=new_index)
            self.client.indices.update_aliases(body={"actions": actions})
        self._delete(old_indexes)

    def _delete(self, names: Iterable[str]) -> None:
        """Delete indexes that nothing uses. Log those that OpenSearch keeps for now."""
        for name in names:
            try:
                with translate_errors():
                    self.client.indices.delete(index=name, ignore=[404])
            except DependencyUnavailable as fault:
                facts = {"index": name, "fault": str(fault)}
                logger.warning("old search index not deleted yet", extra=facts)

    def count(self) -> int:
        """Return the number of documents in the live index, for a progress display."""
        with translate_errors():
            if not self._live_indexes():
                return 0
            return int(self.client.count(index=self.alias)["count"])

    def _live_indexes(self) -> list[str]:
        indexes = self._indexes()
        return [name for name, index in indexes.items() if self.alias in index["aliases"]]

    def _indexes(self) -> dict[str, Any]:
        """Return our indexes by name: the alias, a hyphen, a number.

        The wildcard also matches those of an environment whose name begins like ours.
        """
        with translate_errors():
            found = self.client.indices.get_alias(index=f"{self.alias}-*")
        name_pattern = re.compile(rf"{re.escape(self.alias)}-\d+")
        return {name: index for name, index in found.items() if name_pattern.fullmatch(name)}
