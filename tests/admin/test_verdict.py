"""The verdict of the operations page, and that no hanging part holds up the page."""

from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from products.admin.operations_parts import read_parts
from products.admin.verdict import verdict_of
from products.errors import DependencyUnavailable
from products.operations import QueueDepth

FINE: dict[str, Any] = {"depths": [], "stuck_count": 0, "index_lag": 0.0, "differences": []}
FINE_SENTENCE = "Everything that was accepted is published everywhere."
DEAD = QueueDepth("q", waiting=0, in_flight=0, delayed=0, dead=2)


@pytest.mark.parametrize(
    ("facts", "level", "sentence"),
    [
        ({}, "good", FINE_SENTENCE),
        ({"depths": [DEAD]}, "warning", "2 messages have failed too often and wait to be retried."),
        ({"stuck_count": 1}, "warning", "1 change is stuck."),
        (
            {"stuck_count": 300, "stuck_more": True},
            "warning",
            "At least 300 effects of changes are stuck.",
        ),
        ({"index_lag": 180.0}, "warning", "Search is 3 minutes behind."),
        ({"index_lag": 5.0}, "good", FINE_SENTENCE),
        ({"overdue": timedelta(seconds=5)}, "good", FINE_SENTENCE),
        (
            {"overdue": timedelta(minutes=3)},
            "warning",
            "A plan has been due for 3 minutes, and its products have not switched.",
        ),
        ({"differences": [object()]}, "warning", "1 difference from the change log."),
    ],
)
def test_verdict_names_what_needs_attention(
    facts: dict[str, Any], level: str, sentence: str
) -> None:
    verdict = verdict_of(FINE | facts, {})
    assert (verdict.level, verdict.sentences) == (level, [sentence])


@pytest.mark.parametrize("part", ["queues", "open changes", "consistency", "stuck changes"])
def test_verdict_is_never_good_while_a_part_is_unknown(part: str) -> None:
    verdict = verdict_of(FINE, {part: "It does not answer."})
    assert verdict.level == "unknown"
    assert verdict.sentences == [f"The {part} can't be read just now. It does not answer."]


def test_silent_search_is_a_fault() -> None:
    verdict = verdict_of(FINE, {"search": "OpenSearch does not answer."})
    assert verdict.level == "warning"
    assert verdict.sentences[0].startswith("Search does not answer.")


def test_a_hanging_part_is_unknown_and_the_others_are_read() -> None:
    released = Event()

    def hang() -> dict[str, object]:
        released.wait(60)
        return {"hung": True}

    def fail() -> dict[str, object]:
        raise DependencyUnavailable("DynamoDB")

    facts, unknown = read_parts({"slow": hang, "fast": lambda: {"fast": True}, "broken": fail})
    is_reported_before_it_ended = not released.is_set()
    released.set()
    assert is_reported_before_it_ended
    assert facts == {"fast": True}
    assert unknown["slow"].startswith("It does not answer within")
    assert unknown["broken"] == "The catalogue can't be reached just now."
