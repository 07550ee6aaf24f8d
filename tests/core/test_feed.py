"""The feed: all changes, newest first, filtered, in pages of bounded cost."""

from dataclasses import replace

import pytest

from products.acceptance import Acceptance
from products.bootstrap import feed
from products.changes import Change, Origin
from products.feed import FeedQuery
from products.writes import Write
from tests.support.builders import fields

ALL = FeedQuery(limit=100)


def labels(changes: list[Change]) -> list[str]:
    return [f"{change.product_id} v{change.version}" for change in changes]


def create_three(acceptance: Acceptance, origin: Origin) -> None:
    for name in ("p1", "p2", "p3"):
        acceptance.create(name, fields(name=f"Hosting {name}"), origin)


def test_changes_of_all_products_come_newest_first(acceptance: Acceptance, ann: Origin) -> None:
    create_three(acceptance, ann)
    acceptance.update("p1", {"price": "7"}, ann)
    assert labels(feed().page(ALL).changes) == ["p1 v2", "p3 v1", "p2 v1", "p1 v1"]


def test_filters_keep_matching_changes_only(acceptance: Acceptance, ann: Origin) -> None:
    create_three(acceptance, ann)
    acceptance.update("p1", {"price": "7"}, replace(ann, actor="ben", source="bulk"))
    acceptance.update("p2", {"description": "Another text for a site."}, ann)
    newest = feed().page(ALL).changes[0]

    def found(**filters: object) -> list[str]:
        return labels(feed().page(replace(ALL, **filters)).changes)  # type: ignore[arg-type]

    assert found(actor="ben") == ["p1 v2"]
    assert found(source="bulk") == ["p1 v2"]
    assert found(field="description", since=newest.accepted_at) == ["p2 v2"]
    assert found(before=newest.accepted_at, actor="ben") == ["p1 v2"]
    assert found(actor="eve") == []


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_together_have_every_change_once(
    acceptance: Acceptance, ann: Origin, limit: int
) -> None:
    create_three(acceptance, ann)
    acceptance.write_all(
        [Write(product_id=name, edits={"price": "7"}) for name in ("p1", "p2", "p3")], ann
    )
    query, seen = replace(ALL, limit=limit), []
    while True:
        page = feed().page(query)
        seen += labels(page.changes)
        if page.older is None:
            break
        query = replace(query, before=page.older)
    assert sorted(seen) == sorted(f"{name} v{v}" for name in ("p1", "p2", "p3") for v in (1, 2))


def by_request(change: Change) -> str:
    return change.origin.request_id


def test_a_page_does_not_end_inside_a_line(acceptance: Acceptance, ann: Origin) -> None:
    create_three(acceptance, ann)
    for name in ("p1", "p2", "p3"):
        acceptance.update(name, {"price": "7"}, replace(ann, request_id="one job"))
    acceptance.update("p1", {"price": "8"}, replace(ann, request_id="another"))
    query = replace(ALL, limit=2, line_of=by_request)
    page = feed().page(query)
    assert labels(page.changes) == ["p1 v3", "p3 v2", "p2 v2", "p1 v2"]
    assert page.older is not None
    assert not page.is_cut


def test_a_line_is_cut_where_enough_was_read(acceptance: Acceptance, ann: Origin) -> None:
    create_three(acceptance, replace(ann, request_id="one job"))
    page = feed().page(replace(ALL, max_examined=2, line_of=by_request))
    assert labels(page.changes) == ["p3 v1", "p2 v1"]
    assert page.is_cut


def test_a_rare_filter_reads_a_bounded_number_of_changes(
    acceptance: Acceptance, ann: Origin
) -> None:
    create_three(acceptance, replace(ann, actor="ben"))
    acceptance.update("p1", {"price": "7"}, ann)
    acceptance.update("p1", {"price": "8"}, ann)
    rare = replace(ALL, actor="ben", max_examined=2)
    page = feed().page(rare)
    assert page.is_partial
    assert page.changes == []
    assert page.older is not None
    older = feed().page(replace(rare, before=page.older))
    assert labels(older.changes) == ["p3 v1", "p2 v1"]
