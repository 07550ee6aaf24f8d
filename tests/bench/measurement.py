"""Measure contenders in alternating rounds: CPU time, rates, latencies and medians of ratios."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Contender:
    """One of the things that are compared.

    ``run(count)`` executes that many operations and returns the seconds of each. ``pid`` and its
    children execute them. The CPU time of ``engine`` is added when it is given.
    """

    name: str
    pid: int
    run: Callable[[int], list[float]]
    engine: int | None = None

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid) + self.engine_cpu_seconds()

    def engine_cpu_seconds(self) -> float:
        return cpu_seconds(self.engine) if self.engine else 0.0


@dataclass(frozen=True)
class Sample:
    """One round of one contender.

    ``cpu`` and ``engine_cpu``, which is a part of it, are in milliseconds per operation, ``rate``
    in operations per second, and ``latencies`` in milliseconds.
    """

    cpu: float
    rate: float
    latencies: list[float]
    engine_cpu: float = 0.0


@dataclass(frozen=True)
class Figures:
    """All rounds of one contender."""

    samples: list[Sample]

    @property
    def cpu(self) -> float:
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def engine_cpu(self) -> float:
        return statistics.median(sample.engine_cpu for sample in self.samples)

    @property
    def rate(self) -> float:
        return statistics.median(sample.rate for sample in self.samples)

    def percentile(self, share: float) -> float:
        return percentile([value for sample in self.samples for value in sample.latencies], share)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def family(pid: int) -> list[int]:
    """Return the ids of a process and its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [one for child in task.read_text().split() for one in family(int(child))]
    return found


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process and its running descendants.

    This includes threads that have ended.
    """
    total = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def resident(pid: int) -> float:
    """Return the resident memory of a process and its descendants, in MiB."""
    return sum(map(_resident, family(pid)))


def largest(pid: int) -> float:
    """Return the resident memory of the largest of a process and its descendants, in MiB."""
    return max(map(_resident, family(pid)))


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def side_by_side(contenders: Sequence[Contender], *, rounds: int, count: int) -> dict[str, Figures]:
    """Run all contenders in each round, so that other load on the machine affects all of them.

    One more round at the start warms up and is discarded.
    """
    samples: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        # The order alternates, because the last contender finds the warmest services.
        for contender in contenders if number % 2 else reversed(contenders):
            sample = _sample(contender, count if number else max(count // 5, 50))
            if number:
                samples[contender.name].append(sample)
    return {name: Figures(found) for name, found in samples.items()}


def _sample(contender: Contender, count: int) -> Sample:
    cpu, engine_cpu = contender.cpu_seconds(), contender.engine_cpu_seconds()
    began = time.perf_counter()
    took = contender.run(count)
    wall = time.perf_counter() - began
    cpu = contender.cpu_seconds() - cpu
    engine_cpu = contender.engine_cpu_seconds() - engine_cpu
    latencies = [1000 * one for one in took]
    return Sample(1000 * cpu / count, count / wall, latencies, 1000 * engine_cpu / count)


def ratio(
    figures: Figures, other: Figures, measure: Callable[[Sample], float] = lambda sample: sample.cpu
) -> float:
    """Return the median of the rounds' ratios. Both samples of a round are seconds apart."""
    pairs = zip(figures.samples, other.samples, strict=True)
    return statistics.median(measure(one) / measure(two) for one, two in pairs)


def rate_ratio(figures: Figures, other: Figures) -> float:
    return ratio(figures, other, lambda sample: sample.rate)
