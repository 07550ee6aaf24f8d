"""``make bench``: measure, and print the table; ``--write`` puts it into docs/benchmarks.md.

``ARGS="reading accepting"`` measures only these; ``ARGS="growing --products 1000000"`` at full size.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial

from deploy.local.engines import ROOT, exit_on_engine_failure
from tests.bench import accepting, bulk, growing, lasting, pipelining, reading
from tests.bench.report import Row, machine, table
from tests.bench.results import RESULTS, write_section
from tests.bench.stack import stack

SECTIONS: dict[str, tuple[str, Callable[..., list[Row]]]] = {
    "reading": ("Reading, CPU time of the server", reading.measure),
    "accepting": ("Accepting a write, CPU time of the server", accepting.measure),
    "pipelining": ("From the 202 to the last effect", pipelining.measure),
    "growing": ("With the catalogue, CPU time of the server and of the engine", growing.measure),
    "bulk": ("In bulk", bulk.measure),
    "lasting": ("For long", lasting.measure),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", help=", ".join(SECTIONS))
    parser.add_argument(
        "--rounds", type=int, default=7, help="rounds that are measured, after one that warms up"
    )
    parser.add_argument("--count", type=int, default=1000, help="requests a round")
    parser.add_argument("--products", type=int, default=100_000, help="size of the large catalogue")
    parser.add_argument(
        "--write", action="store_true", help=f"put these sections into {RESULTS.relative_to(ROOT)}"
    )
    asked = parser.parse_args()
    if unknown := set(asked.sections) - SECTIONS.keys():
        parser.error(f"there is no {', '.join(unknown)}")
    for name in asked.sections or SECTIONS:
        title, measure = SECTIONS[name]
        if name == "growing":
            measure = partial(measure, products=asked.products)
        with exit_on_engine_failure(), stack() as standing:  # each on engines that hold nothing yet
            rows = measure(standing, rounds=asked.rounds, count=asked.count)
            text = f"{table(rows)}\n\n{machine()}\n"
        sys.stdout.write(f"## {title}\n\n{text}\n")
        sys.stdout.flush()
        if asked.write:
            write_section(title, text)


if __name__ == "__main__":
    main()
