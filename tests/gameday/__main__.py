"""Start a complete product, inject faults while clients write, then check every promise.

The exit status is 1 when a promise was broken.
"""

import argparse
import os
import sys
from pathlib import Path

from deploy.local.engines import exit_on_engine_failure
from tests.gameday.game import LONG_GAME_WRITES, Game, Options, fresh_home
from tests.gameday.services import external_services, real_services
from tests.gameday.stack import Stack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--writes", type=int, default=1500, help="number of writes that the clients send (1500)"
    )
    parser.add_argument(
        "--seed", type=int, help="repeat the faults and decisions of an earlier game"
    )
    parser.add_argument(
        "--seconds", type=float, default=3600, help="longest duration of the writing phase (3600)"
    )
    parser.add_argument(
        "--calm",
        type=float,
        default=240,
        help="longest wait for all effects after the writes (240)",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="also write the result as a Markdown page"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the logs and the data of all services"
    )
    # Two options for a test that runs a sabotaged product: a process to leave out, and NAME=VALUE.
    parser.add_argument("--without", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--set", action="append", default=[], help=argparse.SUPPRESS)


def run(given: argparse.Namespace) -> int:
    """Run a game and return the exit status, 0 when every promise was kept."""
    chosen = {
        name: getattr(given, name) for name in ("writes", "seconds", "calm", "keep", "report")
    }
    if given.seed is not None:
        chosen["seed"] = given.seed
    options = Options(**chosen)
    home, external = fresh_home(), external_services(os.environ)
    stack = Stack(
        home,
        options.seed,
        external,
        own_services=real_services(home, os.environ, external),
        overrides=dict(override.split("=", 1) for override in given.set),
        without=tuple(given.without),
        relay_after=10 if options.writes < LONG_GAME_WRITES else 20,
    )
    return Game(options, stack).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="gameday", description=__doc__)
    add_arguments(parser)
    with exit_on_engine_failure():
        sys.exit(run(parser.parse_args()))
