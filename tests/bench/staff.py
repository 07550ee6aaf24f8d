"""Compare pages of staff with a bare page of the same middleware, also with many open changes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import batched

import boto3

from deploy.local.sample_catalogue import CREATED_FROM, sample_product
from products.adapters.dynamodb.items import Item, change_item
from products.changes import Change, Effect, next_change
from tests.bench.fill import BATCH, fill, put_all
from tests.bench.growth import session_cookie
from tests.bench.load import Connection, request
from tests.bench.measurement import Contender, Figures, ratio, side_by_side
from tests.bench.reads import getting
from tests.bench.report import Row
from tests.bench.stack import Server, Stack
from tests.support.builders import origin

TABLE = "bbws-products-dev"
PRODUCTS = 1_000
VERSIONS = 25
LIST = "/admin/products/product/"
FETCH = {"X_Requested_With": "fetch"}
MAX_KIB = 60

type Pages = Mapping[str, tuple[str, dict[str, str], float]]
PAGES: Pages = {
    "The list, 50 rows": (LIST, {}, 25),
    "The list, rows only": (LIST, FETCH, 20),
    "The form": (f"{LIST}b0000001/change/", {}, 20),
    "The history, 25 changes": (f"{LIST}b0000001/history/", {}, 15),
    "Operations": (f"{LIST}operations/", {}, 25),
}
"""The pages with their headers, and the most CPU time that each may cost, in ms."""
VIEWS = 20


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    """Measure the CPU time of the web process, without and with 1,000 open changes."""
    fill(TABLE, 0, PRODUCTS)
    put_changes(changes_of(1, VERSIONS, is_open=False))
    cookie = session_cookie()
    web = stack.web(HOT_ANSWER_SECONDS="0", THROTTLE_STAFF="1000000")
    bare = stack.wsgi("bare page", "tests.bench.bare_page.wsgi:application")
    rows = list(page_rows(web, bare, cookie, rounds, count // 10, ""))
    numbers = range(2, PRODUCTS)
    put_changes(change for number in numbers for change in changes_of(number, 1, is_open=True))
    rows += page_rows(web, bare, cookie, rounds, count // 10, ", 1,000 open changes")
    views: Pages = {
        f"The list in one of {VIEWS} saved views": (f"{LIST}?view={save_views()}", {}, 25.0)
    }
    rows += page_rows(web, bare, cookie, rounds, count // 10, ", 1,000 open changes", views)
    return [*rows, size_row(web, cookie)]


def page_rows(
    web: Server,
    bare: Server,
    cookie: str,
    rounds: int,
    count: int,
    state: str,
    pages: Pages = PAGES,
) -> Iterator[Row]:
    contenders = [
        Contender(name, web.pid, _get(web, path, {"Cookie": cookie} | headers))
        for name, (path, headers, _) in pages.items()
    ]
    bare_page = _get(bare, "/admin/bare/", {"Cookie": cookie})
    found = side_by_side(
        [*contenders, Contender("bare", bare.pid, bare_page)], rounds=rounds, count=count
    )
    for name, (_, _, target) in pages.items():
        yield page_row(f"{name}{state}", found[name], found["bare"], target)


def save_views() -> int:
    """Save views of the signed-in user, and return the key of one."""
    from django.contrib.auth.models import User  # noqa: PLC0415 # needs settings

    from products.models import SavedView  # noqa: PLC0415 # needs settings

    user = User.objects.get()
    views = [
        SavedView.objects.create(user=user, name=f"View {number}", query="", columns="")
        for number in range(VIEWS)
    ]
    return int(views[0].pk)


def _get(server: Server, path: str, headers: dict[str, str]) -> Callable[[int], list[float]]:
    return getting(server, lambda _: path, 200, 1, **headers)


def page_row(what: str, page: Figures, bare: Figures, target: float) -> Row:
    verdict = "reached" if page.cpu <= target else "**missed**"
    return Row(
        what,
        f"{page.cpu:.1f} ms CPU",
        f"a bare page: {bare.cpu:.1f} ms",
        f"{ratio(page, bare):.1f} ×",
        f"≤ {target:g} ms",
        verdict,
    )


def size_row(web: Server, cookie: str) -> Row:
    """Measure how many bytes the whole list is as a browser gets it."""
    connection = Connection(web.port)
    connection.ask(request("GET", LIST, Cookie=cookie, Accept_Encoding="gzip"))
    while connection.take() is None:
        pass
    connection.channel.close()
    return Row.bound("The list, as it is sent", len(connection.received) / 1024, MAX_KIB, "KiB")


def changes_of(number: int, versions: int, *, is_open: bool) -> Iterator[Change]:
    """Yield the first changes of a product, complete or waiting for their purge."""
    product, previous = sample_product(number), None
    for version in range(1, versions + 1):
        previous = next_change(
            previous,
            replace(product, price=product.price + version),
            origin("bench", source="admin"),
            at=CREATED_FROM + timedelta(seconds=version),
            change_id=f"{number:030}{version:06}",
            effects=frozenset({Effect.PURGED}) if is_open else frozenset(),
        )
        yield previous


def put_changes(changes: Iterator[Change]) -> None:
    client = boto3.client("dynamodb")
    for some in batched(changes, BATCH):
        put_all(client, TABLE, map(change_attributes, some))


def change_attributes(change: Change) -> Item:
    """Return the item of a change, which may be complete."""
    item = change_item(change)
    if not change.open:
        del item["open"], item["openFlag"]
    return item
