"""The search index, and its replacement where a deployment has none."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, exceptions

from products.adapters.opensearch.connections import TimedHttpConnection
from products.adapters.opensearch.documents import (
    INDEX_BODY,
    bulk_action,
    bulk_actions,
    index_products,
    lacks_fields,
    next_alias,
    send_bulk,
)
from products.adapters.opensearch.faults import (
    DEPENDENCY,
    OUTDATED,
    fault_of,
    raise_for_status,
    reject_name,
    translate_errors,
)
from products.adapters.opensearch.queries import (
    Query,
    besides,
    count_body,
    counts_in,
    ids_in,
    search_body,
    search_queries,
)
from products.documents import format_timestamp
from products.errors import DependencyNeedsOperator, DependencyUnavailable, EffectRefused
from products.lists import ListQuery
from products.product import Product
from products.reconciliation.differences import Observed
from products.retries import Retries
from products.search.synonyms import Synonyms, default_synonyms

logger = logging.getLogger(__name__)

PAGE_SIZE = 1000  # ids
TIMEOUT_SECONDS = 5
FILL_TIMEOUT_SECONDS = 60
"""The time limit of a request that fills an index, which may wait for a merge of segments."""
MAX_CONNECTIONS = 16  # that are kept open for the threads of a process
NOT_FOUND = 404
AMAZON_DOMAIN = re.compile(r".+\.([a-z0-9-]+)\.es\.amazonaws\.com")
"""The host of an Amazon OpenSearch domain; its group is the region."""


@dataclass(frozen=True, slots=True)
class OpenSearchIndex:
    """One index behind an alias.

    A document has its product's version, so an overdue write can't undo a newer one.
    """

    client: OpenSearch
    alias: str
    synonyms: Callable[[], Synonyms] = default_synonyms

    def ensure(self) -> None:
        """Create the index and its alias unless they exist.

        Raises: DependencyUnavailable, or DependencyNeedsOperator when the name is taken.
        """
        reject_name(self.client, self.alias)
        with translate_errors():
            if not self.client.indices.exists_alias(name=self.alias):
                self.client.indices.create(
                    index=f"{self.alias}-1", body=INDEX_BODY | {"aliases": {self.alias: {}}}
                )

    def count(self) -> int:
        """Return the number of documents that searches find."""
        with translate_errors():
            return int(self.client.count(index=self.alias)["count"])

    def lacks_fields(self) -> bool:
        """Whether the index must be rebuilt for this version of the product."""
        return lacks_fields(self.client, self.alias)

    def put(self, products: Sequence[Product]) -> list[Exception | None]:
        """Index products, also in the index that a rebuild is filling; return each one's error.

        One request carries all writes, and OpenSearch resolves both aliases for it. So a document
        reaches the index that is searched, even during the switch of a rebuild. One refresh makes
        all of them searchable, as their receipts say afterwards.
        """
        aliases = [next_alias(self.alias), self.alias]
        lines = [line for product in products for line in bulk_actions(aliases, product)]
        results = send_bulk(self.client, lines, refresh=True)
        return [_error_of(*pair) for pair in batched(results, 2)]

    def put_all(self, products: Iterable[Product], sleep: Callable[[float], None]) -> int:
        """Index many products; return how many documents are new.

        Passing faults are waited out by ``sleep``.
        """
        return index_products(self.client, self.alias, products, Retries(sleep), refresh=True)

    # Reconciliation

    def documents(self, product_ids: Sequence[str]) -> dict[str, Observed]:
        """Return the documents of these products, including those not yet searchable."""
        with translate_errors():
            response = self.client.mget(index=self.alias, body={"ids": list(product_ids)})
        documents = response["docs"]
        if faults := [document["error"] for document in documents if "error" in document]:
            raise fault_of(faults[0])
        return {
            document["_id"]: Observed(document["_version"], document["_source"])
            for document in documents
            if document["found"]
        }

    def ids_after(self, after: str | None, since: datetime | None) -> Iterator[str]:
        """Yield the ids of all documents, or of those updated ``since``, in order."""
        query: dict[str, Any] = {"match_all": {}}
        if since:
            query = {"range": {"updatedAt": {"gte": format_timestamp(since)}}}
        body: dict[str, Any] = {
            "query": query,
            "size": PAGE_SIZE,
            "_source": False,
            "sort": [{"productId": "asc"}],
        }
        while True:
            if after:
                body["search_after"] = [after]
            with translate_errors():
                hits = self.client.search(index=self.alias, body=body)["hits"]["hits"]
            yield from (hit["_id"] for hit in hits)
            if len(hits) < PAGE_SIZE:
                return
            after = hits[-1]["sort"][0]

    def overwrite(self, product: Product) -> bool:
        """Index a product over a document of the same version; return False over a later one."""
        lines = bulk_action(self.alias, product, version_type="external_gte")
        (result,) = send_bulk(self.client, lines, refresh=True)
        return raise_for_status(result)

    def remove(self, product_id: str) -> None:
        """Delete the document of a product that does not exist."""
        with translate_errors():
            self.client.delete(
                index=self.alias, id=product_id, params={"refresh": "true"}, ignore=[NOT_FOUND]
            )

    # Searches

    def search(self, listing: ListQuery, limit: int) -> list[str]:
        """Return the ids of the products found, in the order of the list.

        Raises: DependencyUnavailable, which is logged with its reason, because the caller then
        reads the table. An index without any document counts as unavailable: it was lost.
        """
        try:
            with translate_errors():
                return self._search(listing, limit)
        except DependencyUnavailable as fault:
            is_refused = isinstance(fault.__cause__, exceptions.RequestError)
            level = logging.ERROR if is_refused else logging.WARNING
            logger.log(level, "search without the index", extra={"fault": str(fault)})
            raise

    def count_matches(self, listing: ListQuery, without: Sequence[str]) -> int:
        """Return how many products the same search finds, besides those with these IDs.

        Raise DependencyUnavailable.
        """
        # Only a text has synonyms; other lists are spared the read.
        synonyms = self.synonyms() if listing.text else default_synonyms()
        with translate_errors():
            for search in search_queries(listing, synonyms, self._count_each):
                if self._count(search.query):
                    query = search.wider or search.query
                    return self._count(besides(query, without) if without else query)
        return 0

    def _count(self, query: Query) -> int:
        return int(self.client.count(index=self.alias, body={"query": query})["count"])

    def _count_each(self, queries: list[Query]) -> list[int]:
        response = self.client.search(index=self.alias, body=count_body(queries))
        return counts_in(response)

    def _search(self, listing: ListQuery, limit: int) -> list[str]:
        """Return what the first of the searches finds that finds anything.

        If products with all words fill no page, products with most of them follow.
        """
        synonyms = self.synonyms() if listing.text else default_synonyms()
        for search in search_queries(listing, synonyms, self._count_each):
            if ids := self._ids(listing, limit, search.query):
                fills_page = len(ids) > listing.offset + listing.limit
                return (
                    ids
                    if fills_page or not search.wider
                    else self._ids(listing, limit, search.wider)
                )
        if not self.count():
            state = "has an empty search index; if there are products, run rebuild_search_index"
            raise DependencyUnavailable(DEPENDENCY, state)
        if self.lacks_fields():
            raise DependencyUnavailable(DEPENDENCY, f"is unavailable: {OUTDATED}")
        return []

    def _ids(self, listing: ListQuery, limit: int, query: Query) -> list[str]:
        body = search_body(listing, limit, query)
        return ids_in(self.client.search(index=self.alias, body=body))

    def ping(self) -> None:
        """Read the alias, for the readiness check.

        Raises: DependencyUnavailable when the index can't be reached, or is not the only one.
        """
        with translate_errors():
            indexes = sorted(self.client.indices.get_alias(name=self.alias))
        if len(indexes) > 1:
            state = f"has the alias {self.alias} on several indexes; run rebuild_search_index"
            raise DependencyNeedsOperator(DEPENDENCY, state)


@dataclass(frozen=True, slots=True)
class NoIndex:
    """Replaces the index where ENABLE_OPENSEARCH is off.

    Searches fall back to the table, and nothing is indexed.
    """

    synonyms: Callable[[], Synonyms] = default_synonyms

    def put(self, products: Sequence[Product]) -> list[Exception | None]:
        """Raise DependencyUnavailable."""
        raise DependencyUnavailable(DEPENDENCY)

    def search(self, listing: ListQuery, limit: int) -> list[str]:
        """Raise DependencyUnavailable."""
        raise DependencyUnavailable(DEPENDENCY)

    def count_matches(self, listing: ListQuery, without: Sequence[str]) -> int:
        """Raise DependencyUnavailable."""
        raise DependencyUnavailable(DEPENDENCY)


def _error_of(next_result: dict[str, Any], current_result: dict[str, Any]) -> Exception | None:
    """Return why a product is not in both indexes, where the next one need not exist."""
    try:
        if next_result["status"] != NOT_FOUND:
            raise_for_status(next_result)
        raise_for_status(current_result)
    except (DependencyUnavailable, EffectRefused) as error:
        return error
    return None


def connect(url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> OpenSearch:
    """Return a client without retries: a failed task comes back through its queue."""
    return OpenSearch(
        url,
        timeout=timeout_seconds,
        pool_maxsize=MAX_CONNECTIONS,  # by default one, and each thread more opens a new one
        max_retries=0,
        retry_on_timeout=False,
        http_auth=_signer(url),
        connection_class=TimedHttpConnection,
    )


def _signer(url: str) -> Urllib3AWSV4SignerAuth | None:
    """Return what signs requests to an Amazon OpenSearch domain; None for any other host.

    Such a domain accepts only requests that one of our roles has signed.
    """
    domain = AMAZON_DOMAIN.fullmatch(urlsplit(url).hostname or "")
    if domain is None:
        return None
    credentials = botocore.session.get_session().get_credentials()
    return Urllib3AWSV4SignerAuth(credentials, domain[1])
