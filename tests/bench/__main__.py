"""``make bench``: measure, and write the table down. ``make bench ARGS="reading accepting"`` measures only these."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from deploy.local.engines import one_sentence
from tests.bench import accepting, reading
from tests.bench.report import Row, machine, table
from tests.bench.stack import Stack, stack

SECTIONS: dict[str, tuple[str, Callable[..., list[Row]]]] = {
    "reading": ("Reading", reading.measure),
    "accepting": ("Accepting a write", accepting.measure),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], default=list(SECTIONS))
    parser.add_argument("--rounds", type=int, default=7, help="rounds that are measured, after one that warms up")
    parser.add_argument("--count", type=int, default=1000, help="requests a round")
    asked = parser.parse_args()
    with one_sentence(), stack() as standing:
        for name in asked.sections:
            title, measure = SECTIONS[name]
            print(f"## {title}\n", table(measure(standing, rounds=asked.rounds, count=asked.count)), sep="\n", flush=True)
    print(machine())


if __name__ == "__main__":
    main()
