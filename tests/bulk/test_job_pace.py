"""Jobs give way to single edits: small groups and rests while there are any."""

import pytest

from products.bulk.job_pace import (
    EDIT_MEMORY_SECONDS,
    MAX_REST_SECONDS,
    SMALL_GROUP_SIZE,
    JobPace,
)
from products.grouped_writes import GROUP_SIZE


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.rests: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pace(time: Time) -> JobPace:
    return JobPace(clock=lambda: time.now, sleep=time.sleep)


def test_a_job_without_edits_goes_at_full_speed(pace: JobPace, time: Time) -> None:
    pace.rest(time.now - 1)
    assert (pace.group_size(), time.rests) == (GROUP_SIZE, [])


def test_a_job_with_edits_works_half_of_the_time(pace: JobPace, time: Time) -> None:
    pace.note_edit()
    for took in (0.2, 5.0):
        pace.rest(time.now - took)
    assert (pace.group_size(), time.rests) == (
        SMALL_GROUP_SIZE,
        [pytest.approx(0.2), MAX_REST_SECONDS],
    )
    time.now += EDIT_MEMORY_SECONDS
    pace.rest(time.now - 1)
    assert (pace.group_size(), len(time.rests)) == (GROUP_SIZE, 2)
