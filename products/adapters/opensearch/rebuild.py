"""The rebuild of the search index: a new index, which replaces the live one in one step."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import batched
from typing import Any

from opensearchpy import OpenSearch

from products.adapters.opensearch.documents import (
    BULK_SIZE,
    INDEX_BODY,
    index_products,
    lacks_fields,
    next_alias,
)
from products.adapters.opensearch.faults import fault_of, reject_name, translate_errors
from products.errors import DependencyNeedsOperator, DependencyUnavailable
from products.parallel import MapFunction
from products.product import Product
from products.retries import Retries

logger = logging.getLogger(__name__)

PAGE_SIZE = 2_000  # documents that are compared in one request
SETTINGS_WHILE_FILLED = {"refresh_interval": "-1", "number_of_replicas": 0}
"""A refresh each second and a second copy would cost more than the documents themselves."""
REPLACED = (
    "belongs to no rebuild any more: another one has begun, or the index is gone."
    " Searches use the live index as before"
)


@dataclass(frozen=True, slots=True)
class OpenSearchRebuild:
    """A rebuild of the index behind ``alias``, the live index.

    The index that is being built has a second alias, and the rebuild belongs to its index as long
    as that has it. The removal of the alias decides about the index: ``switch`` makes it the live
    one, and another rebuild deletes it. OpenSearch lets only one of the two succeed.

    Every call waits while OpenSearch is unavailable, within the limits of ``retries``.

    Raises: DependencyUnavailable or EffectRefused, from every call.
    """

    client: OpenSearch
    alias: str
    retries: Retries
    map_function: MapFunction = map
    """Sends the bulk requests, perhaps several at a time."""

    @property
    def _next(self) -> str:
        return next_alias(self.alias)

    def begin(self, number: str) -> None:
        """Create the new index, which every writer fills as well from now on.

        The index of an interrupted rebuild is deleted. If two rebuilds begin at the same moment,
        the higher number wins.

        Raises: DependencyNeedsOperator when another rebuild wins, or the alias's name is taken.
        """
        self._run(partial(reject_name, self.client, self.alias))
        self._run(self._end_all)
        self._run(partial(self._create, number))
        self._run(partial(self._end_others, number))
        self._delete_unused()

    def _create(self, number: str) -> None:
        index = self._name(number)
        if index in self._indexes():
            return  # by an earlier attempt, whose answer was lost
        with translate_errors():
            settings = INDEX_BODY["settings"] | SETTINGS_WHILE_FILLED
            body = INDEX_BODY | {"settings": settings, "aliases": {self._next: {}}}
            self.client.indices.create(index=index, body=body)

    def _end_all(self) -> None:
        """End all rebuilds, which have all begun before this one."""
        self._end(self._indexes_with(self._next))

    def _end_others(self, number: str) -> bool:
        """End the rebuilds of lower numbers. Return whether there was one.

        Raises: DependencyNeedsOperator when this rebuild has been ended, or ends now because there
        is one of a higher number.
        """
        index, built = self._name(number), self._indexes_with(self._next)
        if index not in built:
            raise DependencyNeedsOperator("The new search index", REPLACED)
        others = [name for name in built if name != index]
        if any(self._number(name) > int(number) for name in others):
            self._end([index])
            self._delete(index)
            raise DependencyNeedsOperator("The new search index", REPLACED)
        self._end(others)
        return bool(others)

    def _end(self, indexes: Iterable[str]) -> None:
        """Take the second alias from indexes.

        Raises: DependencyUnavailable when one of them does not have it any more.
        """
        actions = [self._remove(name, self._next) for name in indexes]
        if actions:
            with translate_errors():
                self.client.indices.update_aliases(body={"actions": actions})

    def fill(self, number: str, products: Iterable[Product]) -> int:
        """Index products in the new index; return how many documents are new.

        A later version that another writer has put there stays.
        """
        check = partial(self._end_others, number)
        owned = self._while_owned(number, products)
        return index_products(
            self.client,
            self._next,
            owned,
            self.retries,
            refresh=False,
            check=check,
            map_function=self.map_function,
        )

    def _while_owned(self, number: str, products: Iterable[Product]) -> Iterator[Product]:
        """Yield the products, and end a rebuild that another one has replaced."""
        for batch in batched(products, BULK_SIZE):
            self._run(partial(self._end_others, number))
            yield from batch

    def outdated(self, number: str) -> Iterator[tuple[str, int]]:
        """Yield the ids and versions in the live index that are newer than in the new one."""
        for live_index in self._run(partial(self._indexes_with, self.alias)):
            self._run(partial(self._refresh, live_index), number)
            for live_versions in self._version_pages(live_index, number):
                new_versions = self._new_versions(number, list(live_versions))
                for product_id, version in live_versions.items():
                    if new_versions[product_id] < version:
                        yield product_id, version

    def _version_pages(self, index: str, number: str) -> Iterator[dict[str, int]]:
        """Yield pages of a live index: document versions by id."""
        body: dict[str, Any] = {
            "size": PAGE_SIZE,
            "_source": False,
            "track_total_hits": False,
            "version": True,
            # An index that was made by hand may lack the field.
            "sort": [{"productId": {"order": "asc", "unmapped_type": "keyword"}}],
        }
        while True:
            hits = self._run(partial(self._search, index, body), number)
            if not hits:
                return
            yield {hit["_id"]: int(hit["_version"]) for hit in hits}
            body["search_after"] = hits[-1]["sort"]

    def _search(self, index: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        with translate_errors():
            hits: list[dict[str, Any]] = self.client.search(index=index, body=body)["hits"]["hits"]
        return hits

    def _new_versions(self, number: str, product_ids: list[str]) -> dict[str, int]:
        """Return the versions in the new index by id; 0 for a missing document."""
        documents = self._run(partial(self._read, number, product_ids), number)
        return {document["_id"]: int(document.get("_version", 0)) for document in documents}

    def _read(self, number: str, product_ids: list[str]) -> list[dict[str, Any]]:
        body = {"ids": product_ids}
        with translate_errors():
            response = self.client.mget(index=self._name(number), body=body, _source=False)
        documents: list[dict[str, Any]] = response["docs"]
        if faults := [document["error"] for document in documents if "error" in document]:
            raise fault_of(faults[0])
        return documents

    def switch(self, number: str) -> int:
        """Make the new index the live one in one step, and then delete the old one.

        Return the number of documents in the new index.

        OpenSearch refuses to delete an index while a snapshot of it is taken. Such an index is
        only logged here, and deleted by the next rebuild.

        Raises: DependencyNeedsOperator when another rebuild began, or the new index is gone.
        """
        new_index = self._name(number)
        self._run(partial(self._restore_settings, new_index), number)
        self._run(partial(self._refresh, new_index), number)
        count = self._run(partial(self._count, new_index), number)
        self._run(partial(self._replace, number))
        self._delete_unused()
        return count

    def _replace(self, number: str) -> None:
        new_index, indexes = self._name(number), self._indexes()
        aliases = indexes.get(new_index, {}).get("aliases", {})
        if self.alias in aliases:
            return  # by an earlier attempt, whose answer was lost
        if self._next not in aliases:
            raise DependencyNeedsOperator("The new search index", REPLACED)
        actions = [
            {"add": {"index": new_index, "alias": self.alias}},
            self._remove(new_index, self._next),
            *(self._remove(name, self.alias) for name in self._live_indexes()),
        ]
        with translate_errors():
            self.client.indices.update_aliases(body={"actions": actions})

    def _restore_settings(self, index: str) -> None:
        """Give the index the default settings again, so that it has replicas like the live one."""
        body = {"index": dict.fromkeys(SETTINGS_WHILE_FILLED)}
        with translate_errors():
            self.client.indices.put_settings(index=index, body=body)

    def _refresh(self, index: str) -> None:
        with translate_errors():
            self.client.indices.refresh(index=index)

    def _delete_unused(self) -> None:
        """Delete our indexes that have neither alias. Log those that OpenSearch keeps for now."""
        try:
            indexes = self._indexes()
        except DependencyUnavailable as fault:
            logger.warning("old search indexes not deleted yet", extra={"fault": str(fault)})
            return
        for name, index in indexes.items():
            if not {self.alias, self._next} & set(index["aliases"]):
                self._delete(name)

    def _delete(self, name: str) -> None:
        try:
            with translate_errors():
                self.client.indices.delete(index=name, ignore=[404])
        except DependencyUnavailable as fault:
            facts = {"index": name, "fault": str(fault)}
            logger.warning("old search index not deleted yet", extra=facts)

    def count(self) -> int:
        """Return the number of documents in the live index, for a progress display."""
        if not self._run(self._live_indexes):
            return 0
        return self._run(partial(self._count, self.alias))

    def lacks_fields(self) -> bool:
        """Whether the live index has no place for the words of this version of the product."""
        return self._run(partial(lacks_fields, self.client, self.alias))

    def _count(self, index: str) -> int:
        with translate_errors():
            return int(self.client.count(index=index)["count"])

    def _run[T](self, request: Callable[[], T], number: str | None = None) -> T:
        """Return the result of the request; see ``Retries``.

        With a number, a rebuild that has been ended does not wait.
        """
        if number is None:
            return self.retries.run(request)
        return self.retries.run(request, partial(self._end_others, number))

    def _live_indexes(self) -> list[str]:
        """Return the indexes that have the alias, also those that are not ours."""
        with translate_errors():
            found = self.client.indices.get_alias(name=self.alias, ignore=[404])
        return [] if "error" in found else list(found)

    def _indexes_with(self, alias: str) -> list[str]:
        return [name for name, index in self._indexes().items() if alias in index["aliases"]]

    def _indexes(self) -> dict[str, Any]:
        """Return our indexes by name: the alias, a hyphen, a number.

        The wildcard also matches those of an environment whose name begins like ours.
        """
        with translate_errors():
            found = self.client.indices.get_alias(index=f"{self.alias}-*")
        name_pattern = re.compile(rf"{re.escape(self.alias)}-\d+")
        return {name: index for name, index in found.items() if name_pattern.fullmatch(name)}

    def _name(self, number: str) -> str:
        return f"{self.alias}-{number}"

    def _number(self, index: str) -> int:
        return int(index.removeprefix(f"{self.alias}-"))

    def _remove(self, index: str, alias: str) -> dict[str, Any]:
        """Return an action that fails, with all others of its request, without this alias."""
        return {"remove": {"index": index, "alias": alias, "must_exist": True}}
