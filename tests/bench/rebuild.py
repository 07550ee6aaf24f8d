"""Compare a rebuild of the search index on a real node with its bare calls, and verify it."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.local.engines import ROOT
from deploy.local.sample_catalogue import SampleCatalogue
from tests.bench.measurement import cpu_seconds, resident
from tests.bench.report import Row
from tests.bench.stack import Stack

NAME = "bbws-products-dev"
MIN_RATE = 0.8
MAX_VERIFICATION = 2.0


@dataclass(frozen=True)
class Run:
    """A command that has ended: its duration, its largest memory in MiB and its output.

    ``cpu`` are the seconds of the command and of the engines together.
    """

    seconds: float
    cpu: float
    memory: float
    output: str


def measure(stack: Stack, *, rounds: int, count: int, products: int) -> list[Row]:
    """Measure rebuild and verification; ``count`` does not matter."""
    del count
    with stack.dynamodb.stopped():
        file = stack.dynamodb.file
        SampleCatalogue(NAME, os.environ["OPENSEARCH_URL"], NAME, file).load(products)
    folder = stack.home / "bodies"
    folder.mkdir()
    run_bare(stack, "prepare", products)
    ours, bare = [], []
    for _ in range(max(rounds // 2, 1)):
        ours.append(run(stack, "manage.py", "rebuild_search_index"))
        bare.append(run_bare(stack, "both", products))  # both with the start of Python
    read, bulk = run_bare(stack, "read", products), run_bare(stack, "bulk", products)
    verified = run(stack, "manage.py", "verify_catalogue")
    bare_verified = run_bare(stack, "verify", products)
    return [
        *_compared(products, ours, bare),
        Row("Bare `query` alone", _rate(read, products), "", ""),
        Row("Bare `_bulk` alone, 3 at a time", _rate(bulk, products), "", ""),
        _verification_row(products, verified, bare_verified),
        Row("Memory of a rebuild, at most", f"{max(one.memory for one in ours):.0f} MiB", "", ""),
        Row("Memory of the verification, at most", f"{verified.memory:.0f} MiB", "", ""),
        Row("Memory of the node, with 2 GB of heap", f"{_node_memory(stack):.0f} MiB", "", ""),
    ]


def _compared(products: int, ours: Sequence[Run], bare: Sequence[Run]) -> Iterator[Row]:
    """Yield the rate of the median run, and the CPU time of each product."""
    seconds, theirs = (statistics.median(one.seconds for one in runs) for runs in (ours, bare))
    rate = theirs / seconds
    yield Row(
        f"Search index rebuilt from {products:,} records",
        f"{products / seconds:,.0f} products/s",
        f"bare `query` and `_bulk`, in turn: {products / theirs:,.0f}/s",
        f"{rate:.2f} × the rate",
        f"≥ {MIN_RATE:g} ×",
        "reached" if rate >= MIN_RATE else "**missed**",
    )
    cpu, bare_cpu = (statistics.median(one.cpu for one in runs) for runs in (ours, bare))
    yield Row(
        "CPU time of command, table and node, for each product",
        f"{1000 * cpu / products:.2f} ms",
        f"bare: {1000 * bare_cpu / products:.2f} ms",
        f"{cpu / bare_cpu:.2f} ×",
    )


def _verification_row(products: int, verified: Run, bare: Run) -> Row:
    ratio = verified.seconds / bare.seconds
    return Row(
        f"Verification of {products:,} products",
        _rate(verified, products),
        f"bare `query`, `batch_get_item` and `_mget`: {_rate(bare, products)}",
        f"{ratio:.2f} × the time",
        f"≤ {MAX_VERIFICATION:g} ×",
        "reached" if ratio <= MAX_VERIFICATION else "**missed**",
    )


def _rate(one: Run, products: int) -> str:
    rate, cpu = products / one.seconds, 1000 * one.cpu / products
    return f"{rate:,.0f} products/s, {cpu:.2f} ms CPU"


def _node_memory(stack: Stack) -> float:
    assert stack.node.process
    return resident(stack.node.process.pid)


def run_bare(stack: Stack, mode: str, count: int) -> Run:
    arguments = [mode, str(stack.home / "bodies"), str(count)]
    return run(stack, "-m", "tests.bench.bare_rebuild", *arguments)


def run(stack: Stack, *words: str) -> Run:
    """Run a Python command to its end. Raise RuntimeError when it fails."""
    began, engines = time.monotonic(), _engines_cpu(stack)
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
    cpu = usage.ru_utime + usage.ru_stime + _engines_cpu(stack) - engines
    return Run(seconds, cpu, usage.ru_maxrss / 1024, text.strip())


def _engines_cpu(stack: Stack) -> float:
    processes = [stack.dynamodb.process, stack.node.process]
    return sum(cpu_seconds(process.pid) for process in processes if process)
