"""Made-up samples of every metric that an alarm watches: normal days, and each trouble.

A *quiet* day has this catalogue's own traffic: 20 edits in each of ten working hours, and a read
every two minutes. A *busy* time has ten requests and two writes a second behind the cache.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.support.alarms import Series

DAY, BUSY_MINUTES = 24 * 60, 4 * 60
GIGABYTE = 1e9


@dataclass(frozen=True)
class Traffic:
    """How many calls each minute has."""

    name: str
    minutes: int
    reads: float
    edits: float

    def calls(self, rate: float, chance: random.Random) -> list[int]:
        """Return the number of calls of each minute, at this average rate."""
        whole, rest = divmod(rate, 1)
        return [int(whole) + (chance.random() < rest) for _ in range(self.minutes)]


QUIET = Traffic("quiet", DAY, reads=0.5, edits=200 / 600)
BUSY = Traffic("busy", BUSY_MINUTES, reads=600, edits=120)


def each_minute(traffic: Traffic, value: float, *, every: int = 1) -> Series:
    """Return a series with the same sample every few minutes."""
    return [[value] if minute % every == 0 else [] for minute in range(traffic.minutes)]


def per_call(
    traffic: Traffic, rate: float, sample: Callable[[random.Random], float], seed: int = 1
) -> Series:
    """Return a series with one sample a call."""
    chance = random.Random(seed)
    return [[sample(chance) for _ in range(count)] for count in traffic.calls(rate, chance)]


def share(part: float) -> Callable[[random.Random], float]:
    """Return samples of which this part is 1, and the others 0."""
    return lambda chance: float(chance.random() < part)


def spread(low: float, high: float) -> Callable[[random.Random], float]:
    """Return samples between two numbers."""
    return lambda chance: chance.uniform(low, high)


def milliseconds(traffic: Traffic) -> Callable[[random.Random], float]:
    """Return the time of a read: rarely a cold start when busy, often when quiet."""
    cold = 0.3 if traffic is QUIET else 0.005
    return lambda chance: (
        chance.uniform(1200, 2200) if chance.random() < cold else chance.uniform(30, 150)
    )


def now_and_then(traffic: Traffic, value: float, *, every: int) -> Series:
    """Return zeros, with one other sample every few minutes."""
    return [[value if minute % every == every // 2 else 0] for minute in range(traffic.minutes)]


def _failure_share(traffic: Traffic) -> float:
    return 0.01 if traffic is QUIET else 0.0005


def normal(metric: str, traffic: Traffic) -> Series:
    """Return a metric's samples when nothing is wrong."""
    made: dict[str, Callable[[], Series]] = {
        "Invocations": lambda: per_call(traffic, traffic.edits, lambda _: 1),
        "Errors": lambda: per_call(traffic, traffic.edits, share(_failure_share(traffic))),
        "Throttles": lambda: now_and_then(traffic, 2, every=200),
        "Duration": lambda: per_call(traffic, traffic.edits, spread(20, 2500)),
        "ConcurrentExecutions": lambda: per_call(
            traffic, 1, spread(1, 7 if traffic is QUIET else 60)
        ),
        "TargetErrorCount": lambda: now_and_then(traffic, 1, every=700),
        "ApproximateNumberOfMessagesVisible": lambda: each_minute(traffic, 0),
        # A bulk edit of some thousand products passes.
        "ApproximateAgeOfOldestMessage": lambda: now_and_then(traffic, 200, every=60),
        "5XXError": lambda: per_call(traffic, traffic.reads, share(_failure_share(traffic))),
        "4XXError": lambda: per_call(traffic, traffic.reads, share(0.03)),
        "Count": lambda: per_call(traffic, traffic.reads, lambda _: 1),
        "Latency": lambda: per_call(traffic, traffic.reads, milliseconds(traffic)),
        "SystemErrors": lambda: now_and_then(traffic, 1, every=500),
        "ReadThrottleEvents": lambda: now_and_then(traffic, 3, every=120),
        "WriteThrottleEvents": lambda: now_and_then(traffic, 3, every=120),
        "ClusterStatus.red": lambda: each_minute(traffic, 0),
        "ClusterStatus.yellow": lambda: now_and_then(traffic, 1, every=240),
        "FreeStorageSpace": lambda: each_minute(traffic, 15 * GIGABYTE),
        "JVMMemoryPressure": lambda: per_call(traffic, 1, spread(40, 92)),
        "OldGenJVMMemoryPressure": lambda: per_call(traffic, 1, spread(20, 70)),
        "ClusterIndexWritesBlocked": lambda: each_minute(traffic, 0),
        "CPUUtilization": lambda: per_call(traffic, 1, spread(5, 75)),
        "AutomatedSnapshotFailure": lambda: each_minute(traffic, 0, every=60),
        "Nodes": lambda: each_minute(traffic, 3),
        "OldestOpenChange": lambda: per_call(traffic, 1, spread(0, 90)),
        "StalledJobs": lambda: now_and_then(traffic, 1, every=90),
        # A deployment: the next worker takes the step over after some seconds.
        "PlanLateness": lambda: now_and_then(traffic, 20, every=90),
        "OverduePlan": lambda: now_and_then(traffic, 20, every=90),
        "Drift": lambda: each_minute(traffic, 0),
        "EffectFailures": lambda: per_call(traffic, traffic.edits, share(0.003)),
        "LoginLocks": lambda: now_and_then(traffic, 1, every=60),
        "FreeableMemory": lambda: each_minute(traffic, 0.4 * GIGABYTE),
        "DatabaseConnections": lambda: per_call(traffic, 1, spread(2, 30)),
        "HTTPCode_Target_5XX_Count": lambda: now_and_then(traffic, 1, every=180),
        "HTTPCode_ELB_5XX_Count": lambda: now_and_then(traffic, 1, every=180),
        # A deployment: four tasks for some minutes, then two again.
        "HealthyHostCount": lambda: now_and_then(traffic, 2, every=1),
        "RunningTaskCount": lambda: each_minute(traffic, 2),
        "DesiredTaskCount": lambda: each_minute(traffic, 2),
        "NumberOfCopyJobsCompleted": lambda: now_and_then(traffic, 1, every=12 * 60),
        "5xxErrorRate": lambda: per_call(traffic, traffic.reads, share(0.0005)),
    }
    return made[metric]()


def _none(traffic: Traffic) -> Series:
    return [[] for _ in range(traffic.minutes)]


def _attempts(traffic: Traffic, *, fail: bool) -> Series:
    """Return calls of which each is tried three times within a minute or two."""
    value = float(fail)
    return [[value] * 3 if minute % 20 == 7 else [] for minute in range(traffic.minutes)]


TROUBLES: Mapping[str, Callable[[str, Traffic], Series]] = {
    "-errors": lambda metric, traffic: _attempts(traffic, fail=True),
    "-throttles": lambda _, traffic: each_minute(traffic, 1),
    "-duration": lambda _, traffic: per_call(traffic, 0.2, lambda _: 14_900),
    "concurrency": lambda _, traffic: each_minute(traffic, 950),
    "schedules": lambda _, traffic: each_minute(traffic, 1),
    "-dead-letters": lambda _, traffic: now_and_then(traffic, 1, every=100),
    "-queue-age": lambda _, traffic: [[60 * minute] for minute in range(traffic.minutes)],
    "api-errors": lambda _, traffic: per_call(traffic, traffic.reads, lambda _: 1),
    "api-refusals": lambda metric, _: per_call(
        BUSY, BUSY.reads, share(0.3 if metric == "4XXError" else 1)
    ),
    "api-slow": lambda metric, traffic: per_call(
        traffic, traffic.reads, lambda _: 1 if metric == "Count" else 4000
    ),
    "api-latency": lambda metric, _: per_call(
        BUSY, BUSY.reads, lambda _: 1 if metric == "Count" else 450
    ),
    "api-read-latency": lambda metric, _: per_call(
        BUSY, BUSY.reads, lambda _: 1 if metric == "Count" else 250
    ),
    "table-system-errors": lambda _, traffic: each_minute(traffic, 1),
    "table-read-throttles": lambda _, traffic: each_minute(traffic, 5),
    "table-write-throttles": lambda _, traffic: each_minute(traffic, 5),
    "search-red": lambda _, traffic: now_and_then(traffic, 1, every=100),
    "search-yellow": lambda _, traffic: each_minute(traffic, 1),
    "search-storage": lambda _, traffic: each_minute(traffic, 500),
    "search-memory": lambda _, traffic: each_minute(traffic, 97),
    "search-old-gen": lambda _, traffic: each_minute(traffic, 85),
    "search-blocked": lambda _, traffic: each_minute(traffic, 1),
    "search-processor": lambda _, traffic: each_minute(traffic, 95),
    "search-snapshots": lambda _, traffic: now_and_then(traffic, 1, every=100),
    "search-nodes": lambda _, traffic: each_minute(traffic, 0),
    "open-changes": lambda _, traffic: [[60 * minute] for minute in range(traffic.minutes)],
    "stalled-jobs": lambda _, traffic: each_minute(traffic, 1),
    "late-plans": lambda _, traffic: now_and_then(traffic, 75, every=100),
    "waiting-plan": lambda _, traffic: now_and_then(traffic, 75, every=100),
    "drift": lambda _, traffic: now_and_then(traffic, 1, every=100),
    # Each open change is tried again, so failures add up even with few edits.
    "-failures": lambda _, traffic: each_minute(traffic, 1),
    "login-locks": lambda _, traffic: each_minute(traffic, 4),
    "database-storage": lambda _, traffic: each_minute(traffic, GIGABYTE),
    "database-memory": lambda _, traffic: each_minute(traffic, 0.03 * GIGABYTE),
    "database-processor": lambda _, traffic: each_minute(traffic, 90),
    "database-connections": lambda _, traffic: each_minute(traffic, 70),
    "admin-errors": lambda _, traffic: _attempts(traffic, fail=True),
    "admin-down": lambda _, traffic: _attempts(traffic, fail=True),
    "admin-tasks": lambda _, traffic: _none(traffic),
    "web-tasks": lambda metric, traffic: each_minute(
        traffic, 1 if metric == "RunningTaskCount" else 2
    ),
    "backup-copies": lambda _, traffic: _none(traffic),
    "cloudfront-errors": lambda _, traffic: per_call(traffic, traffic.reads, lambda _: 100),
}
"""The samples of the trouble that an alarm is named after, by the alarm's name or its ending."""


def trouble(alarm: str) -> Callable[[str, Traffic], Series]:
    """Return the trouble of an alarm, by its full name or the longest ending of it."""
    names = [
        name
        for name in TROUBLES
        if alarm == name or alarm.endswith(name) or alarm.startswith(f"{name}-")
    ]
    return TROUBLES[max(names, key=len)]
