"""Local times are read in their zone; one that does not exist, or exists twice, is refused."""

from datetime import UTC, datetime

import pytest

from products.errors import Invalid
from products.plans.times import parse_time, time_zone


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-12-01T08:00", "Africa/Johannesburg", "2026-12-01T06:00"),
        ("2026-12-01T08:00:30", "UTC", "2026-12-01T08:00:30"),
        ("2026-12-01T08:00:00Z", "Africa/Johannesburg", "2026-12-01T08:00"),
        ("2026-12-01T08:00:00-05:00", "Africa/Johannesburg", "2026-12-01T13:00"),
        ("2026-10-25T02:30+01:00", "Europe/Berlin", "2026-10-25T01:30"),
    ],
)
def test_times_are_read_in_their_zone(text: str, zone: str, utc: str) -> None:
    expected = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert parse_time(text, time_zone(zone), "starts_at") == expected


@pytest.mark.parametrize(
    ("text", "zone", "sentence"),
    [
        (
            "2026-03-29T02:30",
            "Europe/Berlin",
            "2026-03-29 02:30 does not exist in Europe/Berlin. "
            "Write 2026-03-29T01:30+01:00 or 2026-03-29T03:30+02:00.",
        ),
        (
            "2026-10-25T02:30",
            "Europe/Berlin",
            "2026-10-25 02:30 exists twice in Europe/Berlin. "
            "Write 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00.",
        ),
        (
            "2026-04-05T01:45",
            "Australia/Lord_Howe",
            "2026-04-05 01:45 exists twice in Australia/Lord_Howe. "
            "Write 2026-04-05T01:45+11:00 or 2026-04-05T01:45+10:30.",
        ),
        (
            "2011-12-30T12:00",
            "Pacific/Apia",
            "2011-12-30 12:00 does not exist in Pacific/Apia. "
            "Write 2011-12-29T12:00-10:00 or 2011-12-31T12:00+14:00.",
        ),
    ],
)
def test_time_without_one_reading_names_both(text: str, zone: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_time(text, time_zone(zone), "starts_at")
    assert refused.value.errors == {"starts_at": [sentence]}


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-13-01T08:00", "9" * 5000, "0001-01-01T00:00", "2026-12-01T25:00"]
)
def test_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_time(text, time_zone("Africa/Johannesburg"), "ends_at")
    assert refused.value.errors.keys() == {"ends_at"}


ZONES_OF_ONE_MACHINE = ["localtime", "posix/UTC", "right/Europe/Berlin", "posixrules", "Factory"]


@pytest.mark.parametrize(
    "name",
    ["", "Mars/Base", "../../etc/passwd", "/etc/passwd", "x" * 5000, *ZONES_OF_ONE_MACHINE],
)
def test_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        time_zone(name)
