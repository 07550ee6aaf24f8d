"""What is compared, side by side: rounds that alternate, CPU time of the processes at work, medians of ratios."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Contender:
    """``run(count)`` does that many pieces of work and gives the seconds each took; ``pid`` and its children do it,
    and so does ``engine`` where that counts too."""

    name: str
    pid: int
    run: Callable[[int], list[float]]
    engine: int | None = None

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid) + (cpu_seconds(self.engine) if self.engine else 0)


@dataclass(frozen=True)
class Sample:
    """One round of one contender. CPU milliseconds a piece, pieces a second, and how long each took in milliseconds."""

    cpu: float
    rate: float
    took: list[float]


@dataclass(frozen=True)
class Figures:
    """All rounds of one contender."""

    samples: list[Sample]

    @property
    def cpu(self) -> float:
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def rate(self) -> float:
        return statistics.median(sample.rate for sample in self.samples)

    def percentile(self, share: float) -> float:
        return percentile([value for sample in self.samples for value in sample.took], share)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def family(pid: int) -> list[int]:
    """The process and all it has started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [one for child in task.read_text().split() for one in family(int(child))]
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and its children that run, threads that have ended included."""
    total = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def resident(pid: int) -> float:
    """MiB of memory that the process and its children hold."""
    lines = [
        line for one in family(pid) for line in Path(f"/proc/{one}/status").read_text().splitlines()
    ]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def side_by_side(contenders: Sequence[Contender], *, rounds: int, count: int) -> dict[str, Figures]:
    """Each round runs them one after the other, so that whatever else the machine does disturbs all alike. One round
    more, at the start, warms up and is thrown away."""
    samples: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        # In turn from the front and from the back: whoever is last has the warmest engine.
        for contender in contenders if number % 2 else reversed(contenders):
            sample = _sample(contender, count if number else max(count // 5, 50))
            if number:
                samples[contender.name].append(sample)
    return {name: Figures(found) for name, found in samples.items()}


def _sample(contender: Contender, count: int) -> Sample:
    cpu, began = contender.cpu_seconds(), time.perf_counter()
    took = contender.run(count)
    wall = time.perf_counter() - began
    cpu = contender.cpu_seconds() - cpu
    return Sample(1000 * cpu / count, count / wall, [1000 * one for one in took])


def ratio(
    figures: Figures, other: Figures, measure: Callable[[Sample], float] = lambda sample: sample.cpu
) -> float:
    """The median of the rounds' ratios: both of a round were measured within seconds of each other."""
    pairs = zip(figures.samples, other.samples, strict=True)
    return statistics.median(measure(one) / measure(two) for one, two in pairs)


def rate_ratio(figures: Figures, other: Figures) -> float:
    return ratio(figures, other, lambda sample: sample.rate)
