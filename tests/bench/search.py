"""Compare searches of catalogues of three sizes on a real OpenSearch node, and a bare search."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from opensearchpy import OpenSearch

from deploy.local.sample_catalogue import WORDS, SampleCatalogue, sample_product
from products.adapters.opensearch.documents import bulk_action, send_bulk
from products.adapters.opensearch.index import OpenSearchIndex
from tests.bench.growth import session_cookie
from tests.bench.measurement import Contender, Figures, ratio, side_by_side
from tests.bench.reads import bare_of, getting
from tests.bench.report import Row
from tests.bench.stack import Server, Stack

SMALL, MIDDLE = 1_000, 200_000
TABLE = ALIAS = "bbws-products-dev"
BULK_SIZE = 1_000
MAX_RATIO = 1.2
MAX_P95_MS = 100
TYPED = ("h", "ho", "host", "man", "manag", "wordp", "exp", "b000", "fa", "stu")
MISTYPED = ("resselle", "expres", "stuido", "hostng famly", "agncy")


@dataclass(frozen=True)
class Scenario:
    """Searches of one kind: the text of the n-th one, the path before it and the headers."""

    name: str
    text: Callable[[int], str]
    path: str = "/v1.0/products?q="
    cookie: str = ""

    def request_path(self, number: int) -> str:
        return self.path + quote(self.text(number))

    def headers(self) -> dict[str, str]:
        return {"Cookie": self.cookie} if self.cookie else {}


def scenarios(cookie: str) -> list[Scenario]:
    """Return the searches. All words are in the smallest catalogue too."""

    def two_words(number: int) -> str:
        known = number * 7919 % SMALL
        return f"{WORDS[known % len(WORDS)]} {known}"

    return [
        Scenario("Two words", two_words),
        Scenario("A word of each tenth product", lambda n: WORDS[n % len(WORDS)]),
        Scenario("The beginning of a word", lambda n: TYPED[n % len(TYPED)]),
        Scenario("A typing error", lambda n: MISTYPED[n % len(MISTYPED)]),
        Scenario("Two words, in the staff list", two_words, "/admin/products/product/?q=", cookie),
    ]


def measure(stack: Stack, *, rounds: int, count: int, products: int) -> list[Row]:
    """Measure the CPU time of the web process and of the node, and the latency for one client."""
    cookie = session_cookie()
    sizes = sorted({SMALL, min(MIDDLE, products), products})
    load_missing(stack, products)
    sites = {size: site(stack, size, largest=sizes[-1]) for size in sizes}
    assert stack.node.process
    node = stack.node.process.pid
    rows: list[Row] = []
    for scenario in scenarios(cookie):  # a JVM needs thousands of requests until it is fast
        for web in sites.values():
            getting(web, scenario.request_path, 200, 1, **scenario.headers())(count // 2)
    for scenario in scenarios(cookie):
        contenders = [
            Contender(
                str(size),
                web.pid,
                getting(web, scenario.request_path, 200, 1, **scenario.headers()),
                node,
            )
            for size, web in sites.items()
        ]
        found = side_by_side(contenders, rounds=rounds, count=max(count // 10, 50))
        small = found.pop(str(SMALL))
        rows += [_row(scenario.name, small, figures, int(size)) for size, figures in found.items()]
    return [*rows, compared_with_bare(stack, sites[sizes[-1]], node, rounds, count // 10)]


def load_missing(stack: Stack, products: int) -> None:
    """Write the records and documents that do not exist, as they do in the data of `make run`."""
    url = os.environ["OPENSEARCH_URL"]
    OpenSearchIndex(OpenSearch(url, timeout=120), ALIAS).ensure()
    with stack.dynamodb.stopped():
        SampleCatalogue(TABLE, url, ALIAS, stack.dynamodb.file).load(products)


def site(stack: Stack, size: int, *, largest: int) -> Server:
    """Start a web server whose index has so many products, and whose table has all."""
    client = OpenSearch(os.environ["OPENSEARCH_URL"], timeout=120)
    alias = ALIAS if size == largest else f"bench-search-{size}"
    index = OpenSearchIndex(client, alias)
    index.ensure()
    if client.count(index=alias)["count"] < size:
        for start in range(0, size, BULK_SIZE):
            numbers = range(start, min(start + BULK_SIZE, size))
            lines = [line for n in numbers for line in bulk_action(alias, sample_product(n))]
            send_bulk(client, lines, refresh=False)
    if size != largest:
        stack.ends.callback(client.indices.delete, index=f"{alias}-1")
    client.indices.refresh(index=alias)
    settings = {"HOT_ANSWER_SECONDS": "0", "THROTTLE_STAFF": "1000000"}
    return stack.web(PRODUCTS_TABLE=TABLE, SEARCH_ALIAS=alias, **settings)


def compared_with_bare(stack: Stack, web: Server, node: int, rounds: int, count: int) -> Row:
    """Compare with the simplest search of three fields, and the read of the products found."""
    bare = bare_of(stack, threads=1, alias=ALIAS, words=WORDS)
    two_words = scenarios("")[0]
    found = side_by_side(
        [
            Contender("ours", web.pid, getting(web, two_words.request_path, 200, 1), node),
            Contender("bare", bare.pid, partial(bare.run, "search"), node),
        ],
        rounds=rounds,
        count=count,
    )
    reference = "bare `_search` and `batch_get_item`"
    return Row.of("The first of these, in the largest", found["ours"], found["bare"], reference)


def _row(name: str, small: Figures, large: Figures, products: int) -> Row:
    grown, p95 = ratio(large, small), large.percentile(0.95)
    has_ratio = products == MIDDLE
    is_reached = p95 <= MAX_P95_MS and (grown <= MAX_RATIO or not has_ratio)
    bounds = [f"≤ {MAX_RATIO:g} ×"] if has_ratio else []
    return Row(
        f"{name}: {products:,} products",
        _figure(large),
        f"{SMALL:,}: {_figure(small)}",
        f"{grown:.2f} ×",
        ", ".join([*bounds, f"p95 ≤ {MAX_P95_MS} ms"]),
        "reached" if is_reached else "**missed**",
    )


def _figure(figures: Figures) -> str:
    own = figures.cpu - figures.engine_cpu
    p50, p95 = figures.percentile(0.5), figures.percentile(0.95)
    cpu = f"{own:.1f} + {figures.engine_cpu:.1f} ms CPU"
    return f"{cpu}, p50 {p50:.0f}, p95 {p95:.0f} ms"
