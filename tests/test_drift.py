"""Each way in which the engines can depart from the log: made, found with its cause, mended, and gone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from products import bootstrap
from products.adapters.dynamodb_items import change_item
from products.catalogue import Catalogue
from products.changes import Effect, Origin, audit_hash
from products.differences import Difference, Kind
from products.effects import Failure
from products.pipeline import Pipeline
from tests.builders import fields
from tests.fakes import Bell
from tests.worlds import World

AT_ONCE = timedelta()
META, V1, V2 = "METADATA", "CHANGE#000000000001", "CHANGE#000000000002"


@pytest.fixture
def line(pipeline: Pipeline) -> Pipeline:
    """Its messages go nowhere; each effect is asked for by name."""
    return replace(pipeline, doorbell=Bell())


def through(line: Pipeline, product_id: str, version: int) -> None:
    """All its effects; the purge is only said to have been, since nothing can look into CloudFront."""
    line.persist(product_id, version)
    line.make_searchable(product_id, version)
    line.audit(product_id, version)
    change = bootstrap.table().change(product_id, version)
    assert change
    line.table.stamp(change, Effect.PURGED, bootstrap.now())


def shelve(product_id: str, versions: int = 1) -> None:
    """A product whose effects have all come about; each version has another name."""
    ann = Origin(actor="ann", source="test", request_id="r")
    quiet, line = (replace(part, doorbell=Bell()) for part in (bootstrap.catalogue(), bootstrap.pipeline()))
    for version in range(1, versions + 1):
        name = {"name": f"{product_id} {version}"}
        quiet.create(product_id, fields(**name), ann) if version == 1 else quiet.update(product_id, name, ann)
        through(line, product_id, version)


@pytest.fixture
def shelf(world: World) -> World:
    shelve("p1", 2)
    shelve("p2")
    return world


def found(patience: timedelta = AT_ONCE) -> list[Difference]:
    return [d for batch in bootstrap.verification(patience).walk() for d in batch.found]


def kinds() -> list[tuple[Kind, str, int | None]]:
    return [(difference.kind, difference.product_id, difference.version) for difference in found()]


def test_a_catalogue_that_agrees_has_no_difference(shelf: World) -> None:
    ann = Origin(actor="ann", source="test", request_id="r")
    bootstrap.catalogue().deactivate("p2", ann)
    through(bootstrap.pipeline(), "p2", 2)
    batches = list(bootstrap.verification(AT_ONCE).walk())
    assert [difference for batch in batches for difference in batch.found] == []
    counts = {batch.stage: batch.checked for batch in batches}
    assert counts == {"active records": 1, "inactive records": 1, "documents": 2, "audit records": 4}


# What is done to a world


def key(pk: str, sk: str) -> dict[str, Any]:
    return {"PK": {"S": pk}, "SK": {"S": sk}}


def change(world: World, pk: str, sk: str, update: str, **values: Any) -> None:
    serialize = TypeSerializer().serialize
    given: dict[str, Any] = {"ExpressionAttributeNames": {"#after": "after"}} if "#after" in update else {}
    if values:
        given["ExpressionAttributeValues"] = {f":{name}": serialize(value) for name, value in values.items()}
    world.dynamodb.update_item(TableName=world.table, Key=key(pk, sk), UpdateExpression=update, **given)


def delete(world: World, pk: str, sk: str) -> None:
    world.dynamodb.delete_item(TableName=world.table, Key=key(pk, sk))


def put(world: World, item: dict[str, Any]) -> None:
    serialize = TypeSerializer().serialize
    world.dynamodb.put_item(TableName=world.table, Item={name: serialize(value) for name, value in item.items()})


def forget_document(world: World, product_id: str) -> None:
    version = world.opensearch.get(index=world.alias, id=product_id)["_version"]
    options = {"refresh": "true", "version": version, "version_type": "external_gte"}
    world.opensearch.delete(index=world.alias, id=product_id, params=options)


def put_document(world: World, product_id: str, version: int, body: dict[str, Any]) -> None:
    options = {"version": version, "version_type": "external_gte", "refresh": "true"}
    world.opensearch.index(index=world.alias, id=product_id, body=body, params=options)


def audit_key_of(world: World, product_id: str, version: int = 1) -> str:
    found = {k: record for k, record in world.audit_records().items() if f"/{product_id}_" in k}
    return next(k for k, record in found.items() if record["version"] == version)


def put_object(world: World, name: str, body: bytes = b"{}") -> None:
    world.s3.put_object(Bucket=world.bucket, Key=name, Body=body)


def pk(product_id: str) -> str:
    return f"PRODUCT#{product_id}"


def claim(product_id: str, version: int = 2) -> str:
    return f"NAME#{product_id}{version}"


Damage = Callable[[World, str], object]
# By product, each of which has two versions: what is done to it, what is found, and words of the first cause.
MENDED: dict[str, tuple[Damage, dict[Kind, int | None], str]] = {
    "record-lost": (
        lambda w, p: delete(w, pk(p), META),
        {Kind.RECORD_MISSING: 2},
        "v2 was stored, and it was lost or set back",
    ),
    "record-set-back": (
        lambda w, p: bootstrap.drift().mend_record(bootstrap.catalogue().version(p, 1), seen=2),
        {Kind.RECORD_BEHIND: 2},
        "the record is at v1, the log at v2",
    ),
    "record-price": (
        lambda w, p: change(w, pk(p), META, "SET price = :price", price=Decimal(1)),
        {Kind.RECORD_DIFFERS: 2},
        "index keys do not fit",
    ),
    "record-text": (
        lambda w, p: change(w, pk(p), META, "SET description = :text", text="Quite another text."),
        {Kind.RECORD_DIFFERS: 2},
        "says v2, but not what v2 says",
    ),
    "record-unreadable": (
        lambda w, p: change(w, pk(p), META, "REMOVE features"),
        {Kind.RECORD_DIFFERS: 2},
        "can't be read",
    ),
    "record-ahead": (
        lambda w, p: bootstrap.table().put_record(replace(bootstrap.catalogue().newest(p), version=7)),
        {Kind.RECORD_OF_NO_CHANGE: 2},
        "at v7, which nobody accepted",
    ),
    "claim-lost": (
        lambda w, p: delete(w, claim(p), "CLAIM"),
        {Kind.CLAIM_MISSING: 2},
        "nothing keeps others from its name 'claim-lost 2'",
    ),
    "claim-of-other": (
        lambda w, p: change(w, claim(p), "CLAIM", "SET productId = :p", p="record-lost"),
        {Kind.CLAIM_OF_OTHER: 2},
        "is claimed by 'record-lost'",
    ),
    "claim-of-nobody": (
        lambda w, p: change(w, claim(p), "CLAIM", "SET productId = :p", p="nobody"),
        {Kind.CLAIM_OF_OTHER: 2},
        "is claimed by 'nobody'",
    ),
    "claim-left": (
        lambda w, p: put(w, {"PK": claim(p, 1), "SK": "CLAIM", "productId": p}),
        {Kind.CLAIM_LEFT: 2},
        "still claims 'claim-left 1'",
    ),
    "document-lost": (forget_document, {Kind.DOCUMENT_MISSING: 2}, "v2 was searchable, and it was lost"),
    "document-edited": (
        lambda w, p: put_document(w, p, 2, (w.document(p) or {}) | {"name": "Something else"}),
        {Kind.DOCUMENT_DIFFERS: 2},
        "not what v2 says",
    ),
    "document-of-nobody": (
        lambda w, p: [put_document(w, "ghost", 3, (w.document(p) or {}) | {"productId": "ghost"})],
        {},
        "",
    ),
    "audit-lost": (
        lambda w, p: w.s3.delete_object(Bucket=w.bucket, Key=audit_key_of(w, p)),
        {Kind.AUDIT_MISSING: 1},
        "is gone from S3",
    ),
    "flag-left": (
        lambda w, p: change(w, pk(p), V1, "SET openFlag = :open", open="OPEN"),
        {Kind.OPEN_FLAG_LEFT: 1},
        "a worker died between its two last writes",
    ),
    "nearly-all-lost": (
        lambda w, p: [delete(w, pk(p), META), forget_document(w, p), delete(w, claim(p), "CLAIM")],
        {Kind.RECORD_MISSING: 2, Kind.DOCUMENT_MISSING: 2, Kind.CLAIM_MISSING: 2},
        "the record is not there",
    ),
}
BY_HAND: dict[str, tuple[Damage, dict[Kind, int | None], str]] = {
    "change-edited": (
        lambda w, p: change(w, pk(p), V2, "SET #after.price = :price", price=Decimal(1)),
        {Kind.CHANGE_ALTERED: 2},
        "another hash, or another place",
    ),
    "change-unreadable": (
        lambda w, p: change(w, pk(p), V1, "REMOVE #after"),
        {Kind.CHANGE_ALTERED: 1},
        "can't be read",
    ),
    "change-forgotten": (
        lambda w, p: delete(w, pk(p), V1),
        {Kind.VERSION_GAP: 1, Kind.AUDIT_OF_NO_CHANGE: None},
        "version 1 is missing from the log",
    ),
    "log-lost": (
        lambda w, p: [delete(w, pk(p), sk) for sk in (V1, V2)],
        {Kind.RECORD_OF_NO_PRODUCT: None, Kind.DOCUMENT_OF_NO_PRODUCT: None, Kind.AUDIT_OF_NO_CHANGE: None},
        "no log of any change",
    ),
    "audit-edited": (
        lambda w, p: put_object(w, audit_key_of(w, p), b'{"price": "1"}'),
        {Kind.AUDIT_ALTERED: 1},
        "is not the one that was written",
    ),
    "audit-put-in": (
        lambda w, p: put_object(w, f"2026/03/01/{p}_20260301T120000.000000Z.json"),
        {Kind.AUDIT_OF_NO_CHANGE: None},
        "no change was accepted then",
    ),
    "document-ahead": (
        lambda w, p: put_document(w, p, 9, (w.document(p) or {}) | {"version": 9}),
        {Kind.DOCUMENT_OF_NO_CHANGE: 2},
        "at v9, which nobody accepted",
    ),
}


def by_product(differences: list[Difference]) -> dict[str, dict[Kind, int | None]]:
    sorted_: dict[str, dict[Kind, int | None]] = {}
    for difference in differences:
        sorted_.setdefault(difference.product_id, {})[difference.kind] = difference.version
    return sorted_


def damaged(world: World, damages: dict[str, Any]) -> list[Difference]:
    """What is found of it all; each damage is done to a product of its own."""
    for product_id in damages:
        shelve(product_id, 2)
    for product_id, (damage, _, _) in damages.items():
        damage(world, product_id)
    differences = found()
    causes = {d.product_id: d.cause for d in reversed(differences)}
    assert {p: words for p, (_, kinds, words) in damages.items() if kinds and words not in causes.get(p, "")} == {}
    return differences


def test_what_is_stamped_and_not_so_is_found_and_done_once_more(world: World) -> None:
    differences = damaged(world, MENDED)
    expected = {product_id: kinds for product_id, (_, kinds, _) in MENDED.items() if kinds}
    assert by_product(differences) == expected | {"ghost": {Kind.DOCUMENT_OF_NO_PRODUCT: None}}
    before = {product_id: bootstrap.catalogue().history(product_id) for product_id in MENDED}
    mending = replace(bootstrap.repair(), cover=lambda at: None)
    done = {str(difference): mending.mend(difference) for difference in differences}
    assert {text for text in done.values() if text.startswith(("not ", "has moved"))} == set(), done
    assert found() == []
    assert {product_id: bootstrap.catalogue().history(product_id) for product_id in MENDED} == before


def test_what_only_a_person_can_judge_is_named_and_left(world: World) -> None:
    differences = damaged(world, BY_HAND)
    assert by_product(differences) == {product_id: kinds for product_id, (_, kinds, _) in BY_HAND.items()}
    mending = replace(bootstrap.repair(), cover=lambda at: None)
    for difference in differences:
        if difference.kind != Kind.DOCUMENT_OF_NO_PRODUCT:
            assert mending.mend(difference).startswith("not mended")
    assert found() == differences


def test_a_document_that_was_set_back_is_put_forward_again(shelf: World) -> None:
    shelf.opensearch.indices.delete(index=f"{shelf.alias}-1")  # with what it remembers of versions
    standing: Any = bootstrap.index()
    standing.ensure()
    for product_id in ("p1", "p2"):
        standing.put(bootstrap.catalogue().version(product_id, 1))
    (difference,) = found()
    assert (difference.kind, difference.product_id, difference.version) == (Kind.DOCUMENT_BEHIND, "p1", 2)
    assert "is at v1, the log at v2" in difference.cause
    assert bootstrap.repair().mend(difference) == "indexed anew"
    assert found() == []


def test_what_a_restored_table_has_forgotten_is_moved_back_to_its_log(shelf: World) -> None:
    """As after a restore to an earlier time, which the other engines know nothing of."""
    delete(shelf, pk("p1"), V2)
    assert kinds() == [
        (Kind.RECORD_OF_NO_CHANGE, "p1", 1),
        (Kind.DOCUMENT_OF_NO_CHANGE, "p1", 1),
        (Kind.CLAIM_MISSING, "p1", 1),
        (Kind.AUDIT_OF_NO_CHANGE, "p1", None),
    ]
    for difference in found():
        bootstrap.repair().mend(difference)
    rebuilding = bootstrap.reindex()
    assert rebuilding
    rebuilding.run("20260301", lambda products: products)
    assert kinds() == [(Kind.AUDIT_OF_NO_CHANGE, "p1", None)]


def test_other_things_in_the_bucket(shelf: World) -> None:
    """What operators did belongs to no product; anything else has no business there."""
    bootstrap.operations().note("olga", "looked", "", [])
    assert shelf.audit_records("operations/")
    put_object(shelf, "holiday.jpg")
    (difference,) = found()
    assert (difference.kind, difference.subject) == (Kind.AUDIT_OF_NO_CHANGE, "holiday.jpg")


# What is open


def test_a_change_under_way_is_no_difference_until_it_has_been_for_too_long(
    shelf: World, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.update("p2", {"price": "7"}, ann)
    catalogue.create("p4", fields(name="Not stored yet"), ann)
    shelf.empty_queues()  # their doorbells are lost
    assert found(timedelta(minutes=2)) == []
    differences = found()
    assert [(difference.kind, difference.product_id, difference.version) for difference in differences] == [
        (Kind.AUDIT_MISSING, "p2", 2),
        (Kind.RECORD_BEHIND, "p2", 2),
        (Kind.DOCUMENT_BEHIND, "p2", 2),
        (Kind.EFFECT_LATE, "p2", 2),
        (Kind.AUDIT_MISSING, "p4", 1),
        (Kind.RECORD_MISSING, "p4", 1),
        (Kind.DOCUMENT_MISSING, "p4", 1),
        (Kind.EFFECT_LATE, "p4", 1),
    ]
    assert all("its doorbell was lost, or no worker takes it" in difference.cause for difference in differences)
    said = {bootstrap.repair().mend(difference) for difference in differences}
    assert said == {"rung for, to be stored"}
    assert shelf.depth(shelf.queue("products.persist")) == 8
    for message in list(shelf.messages("products.persist")):
        payload = shelf.payload(message)
        assert payload in ({"product_id": "p2", "version": 2}, {"product_id": "p4", "version": 1})


def test_what_failed_for_good_is_a_difference_at_once(shelf: World, catalogue: Catalogue, ann: Origin) -> None:
    catalogue.update("p2", {"price": "7"}, ann)
    bootstrap.pipeline().persist("p2", 2)
    failure = Failure(reason="Refused: no such field", at=bootstrap.now(), attempts=3, permanent=True)
    bootstrap.table().fail(catalogue.receipt("p2", 2), Effect.SEARCHABLE, failure)
    (difference,) = found(timedelta(minutes=2))
    assert (difference.kind, difference.version) == (Kind.DOCUMENT_BEHIND, 2)
    assert "tried 3 times: Refused: no such field" in difference.cause
    shelf.empty_queues()
    assert bootstrap.repair().mend(difference) == "rung for, to be searchable"
    shelf.work()
    assert found(timedelta(minutes=2)) == []


def test_an_open_change_nothing_rings_for_is_listed_again(shelf: World, catalogue: Catalogue, ann: Origin) -> None:
    catalogue.update("p2", {"price": "7"}, ann)
    shelf.empty_queues()
    change(shelf, pk("p2"), V2, "REMOVE openFlag")
    assert bootstrap.pipeline().relay(failed=True) == 0
    (difference,) = found(timedelta(minutes=2))
    assert difference.kind == Kind.OPEN_FLAG_MISSING
    assert bootstrap.repair().mend(difference) == "rung for, to be stored"
    assert found(timedelta(minutes=2)) == []
    assert bootstrap.pipeline().relay(failed=True) == 1


def test_an_effect_that_was_given_up_is_not_missed(shelf: World, catalogue: Catalogue, ann: Origin) -> None:
    catalogue.update("p2", {"price": "7"}, ann)
    bootstrap.pipeline().persist("p2", 2)
    for effect in (Effect.SEARCHABLE, Effect.AUDITED, Effect.PURGED):
        bootstrap.operations().discard("p2", 2, effect, reason="No need of it", by="olga")
    assert found() == []


# What is walked


def test_what_has_no_record_is_found_by_whoever_knows_of_it_and_reported_once(
    shelf: World, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("open", fields(name="Only in the log"), ann)
    delete(shelf, pk("p1"), META)
    delete(shelf, pk("p2"), META)
    forget_document(shelf, "p2")
    stages = {
        (difference.product_id, batch.stage)
        for batch in bootstrap.verification(AT_ONCE).walk()
        for difference in batch.found
        if difference.kind == Kind.RECORD_MISSING
    }
    assert stages == {("open", "open changes"), ("p1", "documents"), ("p2", "audit records")}
    assert len([kind for kind, _, _ in kinds() if kind == Kind.RECORD_MISSING]) == 3


def test_only_what_was_changed_since_then_is_looked_at(shelf: World, catalogue: Catalogue, ann: Origin) -> None:
    shelve("p3")
    since = bootstrap.now()
    for product_id in ("p1", "p2"):
        delete(shelf, claim(product_id, 2 if product_id == "p1" else 1), "CLAIM")
    catalogue.update("p2", {"price": "7"}, ann)
    bootstrap.pipeline().persist("p2", 2)
    catalogue.update("p3", {"price": "8"}, ann)  # its record is as old as before
    looked = list(bootstrap.verification(AT_ONCE).walk(since=since))
    about = {(d.kind, d.product_id) for batch in looked for d in batch.found}
    assert (Kind.CLAIM_MISSING, "p2") in about
    assert (Kind.RECORD_BEHIND, "p3") in about
    assert "p1" not in {product_id for _, product_id in about}


def test_the_walk_goes_on_from_any_place(shelf: World) -> None:
    whole = [(b.stage, b.after, b.checked) for b in bootstrap.verification(AT_ONCE).walk()]
    for place, (stage, after, _) in enumerate(whole):
        rest = [(b.stage, b.after, b.checked) for b in bootstrap.verification(AT_ONCE).walk(stage, after)]
        assert rest == whole[place + 1 :]


def test_a_product_that_moves_on_while_it_is_looked_at_is_no_difference(
    shelf: World, catalogue: Catalogue, line: Pipeline, ann: Origin
) -> None:
    """Each time its log has been read, it gets another name, and all effects come about before the rest is read."""
    version = iter(range(3, 99))

    class Moving:
        def entries(self, product_id: str) -> Any:
            yield from bootstrap.drift().entries(product_id)
            if product_id == "p1":
                number = next(version)
                catalogue.update("p1", {"name": f"Name number {number}"}, ann)
                through(line, "p1", number)

        def __getattr__(self, name: str) -> Any:
            return getattr(bootstrap.drift(), name)

    moving = replace(bootstrap.verification(AT_ONCE), logs=Moving())  # type: ignore[arg-type]
    assert moving.of(["p1"]) == []
    assert next(version) > 4, "it was looked at twice, and differed each time"


def test_two_products_with_one_name_are_left_to_people(shelf: World) -> None:
    """As when a table was restored in part: no claim can be right."""
    twin = replace(bootstrap.catalogue().receipt("p2", 1), product_id="p9", open=frozenset(Effect))
    twin = replace(twin, after=replace(twin.after, product_id="p9"))
    put(shelf, change_item(replace(twin, record_hash=audit_hash(twin))))
    difference = next(d for d in found() if d.kind == Kind.CLAIM_OF_OTHER)
    assert (difference.product_id, "one of them must be renamed" in bootstrap.repair().mend(difference)) == ("p9", True)
    assert shelf.item(claim("p2", 1), "CLAIM") == {"PK": claim("p2", 1), "SK": "CLAIM", "productId": "p2"}
