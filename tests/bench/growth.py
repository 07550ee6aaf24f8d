"""Compare the same requests on a small and on a large catalogue: they must not cost more."""

from collections.abc import Callable
from functools import partial

import django

from deploy.local.resources import create_table
from tests.bench.fill import fill
from tests.bench.measurement import Contender, Figures, ratio, side_by_side
from tests.bench.reads import CONNECTIONS, getting
from tests.bench.report import Row
from tests.bench.stack import Server, Stack

SMALL = 1_000
Path = Callable[[int], str]


def measure(stack: Stack, *, rounds: int, count: int, products: int) -> list[Row]:
    """Measure the CPU time of the web process and of DynamoDB together."""
    cookie = session_cookie()
    sites = {size: site(stack, size) for size in (SMALL, products)}
    engine = stack.dynamodb.process.pid if stack.dynamodb.process else None
    rows = []
    for name, path, headers in scenarios(cookie):
        contenders = [
            Contender(
                f"{size}",
                sites[size].pid,
                getting(sites[size], partial(path, size), 200, CONNECTIONS, **headers),
                engine,
            )
            for size in (SMALL, products)
        ]
        found = side_by_side(contenders, rounds=rounds, count=count // 4)
        small_figures, large_figures = found.values()
        rows.append(_row(name, small_figures, large_figures, products))
    return rows


def site(stack: Stack, size: int) -> Server:
    """Start a web server with a catalogue of this size."""
    name = f"bench-{size}"
    create_table(name)
    fill(name, 0, size)
    return stack.web(PRODUCTS_TABLE=name, HOT_ANSWER_SECONDS="0", THROTTLE_STAFF="1000000")


def session_cookie() -> str:
    """Sign in a superuser and return the session's cookie."""
    django.setup()
    from django.contrib.auth.models import User  # noqa: PLC0415 # needs settings
    from django.core.management import call_command  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    client = Client()
    client.force_login(
        User.objects.create_superuser("bench", password=None),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return f"sessionid={client.cookies['sessionid'].value}"


def scenarios(cookie: str) -> list[tuple[str, Callable[[int, int], str], dict[str, str]]]:
    return [
        ("A product", lambda size, n: f"/v1.0/products/b{n * 7919 % size:07}", {}),
        ("A first page", lambda size, n: "/v1.0/products", {}),
        (
            "A page from the middle",
            lambda size, n: f"/v1.0/products?sortBy=price&minPrice={2 + n % 7}.00",
            {},
        ),
        ("The staff list", lambda size, n: "/admin/products/product/", {"Cookie": cookie}),
    ]


def _row(name: str, small: Figures, large: Figures, products: int) -> Row:
    grown = ratio(large, small)
    figures = [f"{one.cpu:.2f} ms CPU, p50 {one.percentile(0.5):.0f} ms" for one in (small, large)]
    verdict = "reached" if grown <= 1.2 else "**missed**"
    return Row(
        f"{name}: {products:,} products",
        figures[1],
        f"{SMALL:,}: {figures[0]}",
        f"{grown:.2f} ×",
        "≤ 1.2 ×",
        verdict,
    )
