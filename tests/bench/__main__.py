"""``make bench``: measure and print tables. ``--write`` puts them into docs/benchmarks.md.

``ARGS="reads writes"`` runs only these benchmarks. ``ARGS="growth --products 1000000"`` uses
a large catalogue of this size.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from deploy.local.engines import ROOT, exit_on_engine_failure
from tests.bench import (
    bulk,
    growth,
    hostile,
    memory,
    pipeline,
    planned,
    reads,
    rebuild,
    search,
    searchable,
    staff,
    waits,
    writes,
)
from tests.bench.report import Row, machine, table
from tests.bench.results import RESULTS, write_section
from tests.bench.stack import stack

SECTIONS: dict[str, tuple[str, Callable[..., list[Row]]]] = {
    "reads": ("Reading, CPU time of the server", reads.measure),
    "writes": ("Accepting a write, CPU time of the server", writes.measure),
    "waits": ("Reads while callers wait", waits.measure),
    "hostile": ("Reads while hostile clients load the web server", hostile.measure),
    "pipeline": ("From the 202 to the last effect", pipeline.measure),
    "growth": ("With the catalogue, CPU time of the server and of the engine", growth.measure),
    "search": ("Searching, CPU time of the web process and of an OpenSearch node", search.measure),
    "searchable": ("From a message to a search that finds the change", searchable.measure),
    "rebuild": ("Rebuilding the index of an OpenSearch node", rebuild.measure),
    "staff": ("Pages of staff, CPU time of the server", staff.measure),
    "bulk": ("In bulk", bulk.measure),
    "planned": ("Planned changes, and reads while they are coming", planned.measure),
    "memory": ("For long", memory.measure),
}
WITH_PRODUCTS = {"growth": 100_000, "search": 20_000, "rebuild": 5_000}
"""The benchmarks of large catalogues, and how many products they have by default."""
WITH_NODE = {"search", "searchable", "rebuild"}
IN_FILE = {"search", "rebuild"}
"""The benchmarks that write their products into the table's file."""
ALIASES = {
    "reading": "reads",
    "accepting": "writes",
    "pipelining": "pipeline",
    "growing": "growth",
    "lasting": "memory",
}
"""The earlier names of the benchmarks."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", help=", ".join(SECTIONS))
    parser.add_argument(
        "--rounds", type=int, default=7, help="measured rounds, after one warm-up round"
    )
    parser.add_argument("--count", type=int, default=1000, help="requests per round")
    parser.add_argument("--products", type=int, help="size of the large catalogue")
    parser.add_argument(
        "--data",
        type=Path,
        help="a folder of `make run ENGINES=real`, e.g. .local, whose products are used and kept",
    )
    parser.add_argument(
        "--write", action="store_true", help=f"put these sections into {RESULTS.relative_to(ROOT)}"
    )
    arguments = parser.parse_args()
    sections = [ALIASES.get(name, name) for name in arguments.sections]
    if unknown := set(sections) - SECTIONS.keys():
        parser.error(f"unknown benchmarks: {', '.join(unknown)}")
    for name in sections or SECTIONS:
        title, measure = SECTIONS[name]
        if name in WITH_PRODUCTS:
            measure = partial(measure, products=arguments.products or WITH_PRODUCTS[name])
        data = arguments.data if name in WITH_NODE else None
        # Each benchmark starts with empty services, unless it has data.
        with (
            exit_on_engine_failure(),
            stack(with_node=name in WITH_NODE, in_file=name in IN_FILE, data=data) as started,
        ):
            rows = measure(started, rounds=arguments.rounds, count=arguments.count)
            text = f"{table(rows)}\n\n{machine()}\n"
        sys.stdout.write(f"## {title}\n\n{text}\n")
        sys.stdout.flush()
        if arguments.write:
            write_section(title, text)


if __name__ == "__main__":
    main()
