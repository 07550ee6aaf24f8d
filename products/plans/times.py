"""Times as people type them: a local time and its time zone, or a time with an offset. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from products.errors import Invalid

DEFAULT_ZONE = "Africa/Johannesburg"
MAX_TIME_LENGTH = 40  # characters
MAX_ZONE_LENGTH = 64  # characters
OF_ONE_MACHINE = ("localtime", "posixrules", "posix/", "right/", "Factory")
"""Files next to the time zones of a machine: its own zone, zones with leap seconds, and no zone.
Another machine has others, or none."""


def time_zone(name: str) -> ZoneInfo:
    """Return the time zone with this IANA name. Raises: Invalid for the field ``zone``."""
    try:
        if len(name) > MAX_ZONE_LENGTH or name.startswith(OF_ONE_MACHINE):
            raise ValueError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        sentence = "Must be the name of a time zone such as Africa/Johannesburg."
        raise Invalid({"zone": [sentence]}) from None


def parse_time(text: str, zone: ZoneInfo, field: str) -> datetime:
    """Return the time in UTC. Without an offset it is a local time of the zone.

    Raise Invalid for ``field`` when it is no time, or a local time that does not exist or exists
    twice: when clocks go forward or back. The sentence names both readings.
    """
    if len(text) > MAX_TIME_LENGTH:
        raise Invalid({field: [_expected(zone)]})
    try:
        typed = datetime.fromisoformat(text)
        return typed.astimezone(UTC) if typed.tzinfo else local_time(typed, zone, field)
    except (ValueError, OverflowError):
        raise Invalid({field: [_expected(zone)]}) from None


def _expected(zone: ZoneInfo) -> str:
    return (
        "Must be a time with its offset such as 2026-12-01T08:00:00Z, "
        f"or a local time such as 2026-12-01T08:00 in {zone.key}."
    )


def readings(typed: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return what a local time can mean, in UTC: two times where clocks change, otherwise one."""
    found = {typed.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(found)


def exists(typed: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of the zone show this local time."""
    return readings(typed, zone)[0].astimezone(zone).replace(tzinfo=None) == typed


def local_time(typed: datetime, zone: ZoneInfo, field: str) -> datetime:
    """Return a local time in UTC. Raises: Invalid, see ``parse_time``."""
    instants = readings(typed, zone)
    if len(instants) == 1:
        return instants[0]
    written = [_written(instant, zone) for instant in instants]
    choice = f"Write {written[0]} or {written[1]}."
    problem = "exists twice" if exists(typed, zone) else "does not exist"
    raise Invalid({field: [f"{typed:%Y-%m-%d %H:%M} {problem} in {zone.key}. {choice}"]})


def _written(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).isoformat(timespec="minutes")


def validate_times(starts_at: datetime, ends_at: datetime | None, longest: timedelta) -> None:
    """Raise Invalid when the end is not after the start, or is more than ``longest`` after it."""
    if ends_at is None:
        return
    if ends_at <= starts_at:
        raise Invalid({"ends_at": ["Must be after the start."]})
    if ends_at - starts_at > longest:
        raise Invalid({"ends_at": [f"Must be within {longest.days} days of the start."]})
