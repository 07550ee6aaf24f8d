"""What a game day says: a line per promise, what went wrong on purpose, how long things took, how to repeat it."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import quantiles

from tests.gameday.case import Case, Verdict
from tests.gameday.checks_of_effects import moment

MAX_DETAILS = 8


def table(verdicts: Sequence[Verdict]) -> str:
    width = max(len(verdict.promise) for verdict in verdicts)
    lines = [f"{'Promise':<{width}}  {'checked':>8}  {'broken':>7}", "-" * (width + 19)]
    for verdict in verdicts:
        lines.append(
            f"{verdict.promise:<{width}}  {verdict.checked:>8}  {len(verdict.violations) or '-':>7}"
        )
        lines += [f"    {violation}" for violation in verdict.violations[:MAX_DETAILS]]
        if len(verdict.violations) > MAX_DETAILS:
            lines.append(f"    and {len(verdict.violations) - MAX_DETAILS} more")
    return "\n".join(lines)


def counted(title: str, counts: Mapping[str, int]) -> str:
    return f"{title}: " + ", ".join(
        f"{count} {what}" for what, count in sorted(counts.items()) if count
    )


def latencies(case: Case) -> dict[str, list[float]]:
    """Seconds from accepted to each effect, and to the last of them, for every change that has it."""
    found: dict[str, list[float]] = {}
    for change in case.evidence.every_change():
        accepted = moment(change["acceptedAt"])
        took = {
            name: (moment(at) - accepted).total_seconds() for name, at in change["done"].items()
        }
        if took:
            took["complete"] = max(took.values())
        for name, seconds in took.items():
            found.setdefault(name, []).append(seconds)
    return found


def latency_line(found: Mapping[str, Iterable[float]]) -> str:
    parts = []
    for name in ("stored", "searchable", "audited", "purged", "complete"):
        taken = sorted(found.get(name, ()))
        if len(taken) > 1:
            cuts = quantiles(taken, n=100)
            parts.append(f"{name} {cuts[49]:.2f} / {cuts[94]:.2f} / {taken[-1]:.1f}")
    return f"Seconds from accepted to (half / 95 % / the last): {', '.join(parts)}"
