"""The tables of the benchmarks: each row compares a figure with a reference."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.measurement import Figures, rate_ratio, ratio

LIBRARIES = (
    "Django",
    "djangorestframework",
    "granian",
    "boto3",
    "celery",
    "kombu",
    "pynamodb",
)


@dataclass(frozen=True)
class Row:
    """One row of a table. ``target`` and ``verdict`` are empty where there is no target."""

    what: str
    figure: str
    reference: str
    ratio: str
    target: str = ""
    verdict: str = ""

    @classmethod
    def of(
        cls,
        what: str,
        ours: Figures,
        theirs: Figures,
        reference: str,
        *,
        max_ratio: float | None = None,
    ) -> "Row":
        """Compare CPU time per operation."""
        found = ratio(ours, theirs)
        target, verdict = "", ""
        if max_ratio is not None:
            target, verdict = f"≤ {max_ratio:g} ×", _verdict(found <= max_ratio)
        return cls(
            what,
            f"{ours.cpu:.2f} ms CPU",
            f"{reference}: {theirs.cpu:.2f} ms",
            f"{found:.2f} ×",
            target,
            verdict,
        )

    @classmethod
    def rate(
        cls, what: str, ours: Figures, theirs: Figures, reference: str, *, min_ratio: float
    ) -> "Row":
        """Compare operations per second by elapsed time, and show the ratio by CPU time as well."""
        found, cpu = rate_ratio(ours, theirs), 1 / ratio(ours, theirs)
        figure = f"{ours.rate:,.0f}/s ({ours.cpu:.2f} ms CPU)"
        ratios = f"{found:.1f} × ({cpu:.1f} × by CPU)"
        return cls(
            what,
            figure,
            f"{reference}: {theirs.rate:,.0f}/s",
            ratios,
            f"≥ {min_ratio:g} ×",
            _verdict(found >= min_ratio),
        )

    @classmethod
    def times(cls, what: str, ours: Figures, theirs: Figures) -> "Row":
        """Compare the latencies that the client saw."""
        figure, reference = (
            "p50 {:.0f}, p95 {:.0f}, p99 {:.0f} ms".format(
                *(found.percentile(share) for share in (0.5, 0.95, 0.99))
            )
            for found in (ours, theirs)
        )
        return cls(
            what, figure, reference, f"{ours.percentile(0.5) / theirs.percentile(0.5):.2f} × at p50"
        )

    @classmethod
    def bound(
        cls, what: str, found: float, maximum: float, unit: str, reference: str = ""
    ) -> "Row":
        """Compare a figure with its maximum."""
        return cls(
            what,
            f"{found:.2f} {unit}",
            reference,
            "",
            f"≤ {maximum:g} {unit}",
            _verdict(found <= maximum),
        )


def _verdict(reached: bool) -> str:
    return "reached" if reached else "**missed**"


def machine() -> str:
    """Describe this machine and the measured libraries, as a table."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024**2
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    load = Path("/proc/loadavg").read_text().split()[0]
    measured = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {load}"
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    lines = [
        "| | |",
        "|---|---|",
        f"| Measured | {measured} |",
        f"| Machine | {cpu}, {cores} cores, {memory:.0f} GiB, {system} |",
        f"| Libraries | {libraries} |",
    ]
    return "\n".join(lines)


def table(rows: Sequence[Row]) -> str:
    head = ["| What | Figure | Compared with | Ratio | Target | |", "|---|---|---|---|---|---|"]
    return "\n".join(
        [
            *head,
            *(
                f"| {r.what} | {r.figure} | {r.reference} | {r.ratio} | {r.target} | {r.verdict} |"
                for r in rows
            ),
        ]
    )
