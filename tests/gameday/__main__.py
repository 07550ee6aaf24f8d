"""Start a product, let clients write while everything fails, then check every promise.

The exit status is 1 when a promise was broken.
"""

import argparse
import os
import sys
from pathlib import Path

from deploy.local.engines import exit_on_engine_failure
from tests.gameday.game import LONG, Game, Options, fresh_home
from tests.gameday.stack import Stack, other_engines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--writes", type=int, default=1500, help="how many writes the clients ask for (1500)"
    )
    parser.add_argument(
        "--seed", type=int, help="repeat the faults and decisions of an earlier game"
    )
    parser.add_argument(
        "--seconds", type=float, default=3600, help="play no longer than this (3600)"
    )
    parser.add_argument(
        "--calm", type=float, default=240, help="how long all may take to come about after it (240)"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="also write the result as a Markdown page"
    )
    parser.add_argument("--keep", action="store_true", help="keep the logs and the engines' state")
    parser.add_argument(
        "--without", action="append", default=[], help=argparse.SUPPRESS
    )  # for a test: a worse product
    parser.add_argument(
        "--set", action="append", default=[], help=argparse.SUPPRESS
    )  # likewise: NAME=VALUE


def run(given: argparse.Namespace) -> int:
    """The exit status: 0 when every promise was kept."""
    chosen = {
        name: getattr(given, name) for name in ("writes", "seconds", "calm", "keep", "report")
    }
    options = Options(**chosen, **({} if given.seed is None else {"seed": given.seed}))
    changes = dict(change.split("=", 1) for change in given.set)
    patience = {"relay_after": 10 if options.writes < LONG else 20}
    stack = Stack(
        fresh_home(),
        options.seed,
        other_engines(os.environ),
        changes,
        tuple(given.without),
        **patience,
    )
    return Game(options, stack).play()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="gameday", description=__doc__)
    add_arguments(parser)
    with exit_on_engine_failure():
        sys.exit(run(parser.parse_args()))
