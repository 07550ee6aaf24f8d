"""Compare a rebuild of the search index on a real node with its bare calls, and verify it."""

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from deploy.local.engines import ROOT
from deploy.local.sample_catalogue import SampleCatalogue
from tests.bench.measurement import resident
from tests.bench.report import Row
from tests.bench.stack import Stack

NAME = "bbws-products-dev"
MAX_BULK_ALONE = 50_000  # documents, which are prepared in memory
MIN_RATE = 0.8


@dataclass(frozen=True)
class Run:
    """A command that has ended: its duration, its largest memory in MiB and its output."""

    seconds: float
    memory: float
    output: str


def measure(stack: Stack, *, rounds: int, count: int, products: int) -> list[Row]:
    """Measure rebuild and verification; ``count`` does not matter."""
    del count
    SampleCatalogue(NAME, os.environ["OPENSEARCH_URL"], NAME).load(products)
    ours, bare = [], []
    for number in range(max(rounds // 2, 1)):
        ours.append(run(stack, "manage.py", "rebuild_search_index"))
        # Both are whole commands, with the start of Python.
        arguments = ["both", f"bare-{number}", str(products)]
        bare.append(run(stack, "-m", "tests.bench.bare_rebuild", *arguments).seconds)
    alone = min(products, MAX_BULK_ALONE)
    read, bulk = run_bare(stack, "read", "-", products), run_bare(stack, "bulk", "bulk", alone)
    verified = run(stack, "manage.py", "verify_catalogue")
    seconds, theirs = statistics.median(one.seconds for one in ours), statistics.median(bare)
    rate = theirs / seconds
    return [
        Row(
            f"Search index rebuilt from {products:,} records",
            f"{products / seconds:,.0f} products/s",
            f"bare `query` and `_bulk`, in turn: {products / theirs:,.0f}/s",
            f"{rate:.2f} × the rate",
            f"≥ {MIN_RATE:g} ×",
            "reached" if rate >= MIN_RATE else "**missed**",
        ),
        Row("Bare `query` alone", f"{products / read:,.0f} products/s", "", ""),
        Row("Bare `_bulk` alone, 3 at a time", f"{alone / bulk:,.0f} documents/s", "", ""),
        Row(
            f"Verification of {products:,} products",
            f"{products / verified.seconds:,.0f} products/s",
            "",
            "",
        ),
        Row("Memory of a rebuild, at most", f"{max(one.memory for one in ours):.0f} MiB", "", ""),
        Row("Memory of the verification, at most", f"{verified.memory:.0f} MiB", "", ""),
        Row("Memory of the node, with 2 GB of heap", f"{_node_memory(stack):.0f} MiB", "", ""),
    ]


def _node_memory(stack: Stack) -> float:
    assert stack.node.process
    return resident(stack.node.process.pid)


def run_bare(stack: Stack, mode: str, index: str, count: int) -> float:
    """Return the seconds of bare calls."""
    return float(run(stack, "-m", "tests.bench.bare_rebuild", mode, index, str(count)).output)


def run(stack: Stack, *words: str) -> Run:
    """Run a Python command to its end. Raise RuntimeError when it fails."""
    began = time.monotonic()
    with (stack.home / "command.log").open("w+") as output:
        child = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=stack.variables, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        output.seek(0)
        text = output.read()
    if child.returncode:
        raise RuntimeError(f"{' '.join(words)}: {text[-2000:]}")
    return Run(seconds, usage.ru_maxrss / 1024, text.strip())
