"""The progress of a change's effects, noted in the change's own item."""

import logging
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from products.adapters.change_logging import log_change
from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.items import (
    Item,
    change_key,
    discard_attribute,
    discard_item,
    failure_item,
    to_change,
)
from products.changes import Change, ChangeKey, Discard, Effect, Failure
from products.documents import format_timestamp

logger = logging.getLogger(__name__)

EXISTS = "attribute_exists(PK)"
EFFECT_IS_OPEN = "contains(#open, :effect)"
# DynamoDB drops a set that becomes empty.
IS_CLOSABLE = "attribute_exists(openFlag) AND attribute_not_exists(#open)"
DISCARD_EFFECT = "SET #discarded = :discard DELETE #open :effects"
IS_OPEN_WITH_THESE = "attribute_exists(openFlag) AND #open = :effects"
SET_FAILURE = "SET failures.#effect = :failure"
COUNT_REQUEUE = "SET rungAt = :at ADD rings :one"
REMOVE_OPEN_FLAG = "REMOVE openFlag"
OPEN_NAME = {"#open": "open"}  # OPEN is one of DynamoDB's reserved words


@dataclass(frozen=True, slots=True)
class DynamoEffects(DynamoCalls):
    """The effects of changes: done, failed or requeued."""

    def stamp(self, change: Change, done: Mapping[Effect, datetime]) -> Change | None:
        """Mark effects as done. Return the change after it, None if one of them is not open."""
        update = _stamp_expression(change, done)
        condition = " AND ".join(f"contains(#open, :{effect})" for effect in done)
        values = {f":{effect}": str(effect) for effect in done}
        item = self._stamp(change, done, update, condition, values)
        return None if item is None else to_change(item)

    def stamp_last(self, change: Change, done: Mapping[Effect, datetime]) -> Change | None:
        """Mark the effects as done and close the change, if they are exactly the open ones."""
        update = f"{_stamp_expression(change, done)}, openFlag"
        item = self._stamp(change, done, update, IS_OPEN_WITH_THESE, {}, returned="NONE")
        if item is None:
            return None
        # The condition proves that no effect has ended since the change was read.
        failures = {effect: why for effect, why in change.failures.items() if effect not in done}
        return replace(change, open=frozenset(), done={**change.done, **done}, failures=failures)

    def _stamp(
        self,
        change: Change,
        done: Mapping[Effect, datetime],
        update: str,
        condition: str,
        values: Item,
        **options: str,
    ) -> Item | None:
        """Return the item after the update, or None when the condition does not hold."""
        names = {f"#{effect}": str(effect) for effect in done}
        times = {f":{effect}At": format_timestamp(at) for effect, at in done.items()}
        if _notes_invalidation(change, done):
            values = values | {":number": change.last_invalidation}
        item = self._update_item(
            _key(change),
            update,
            condition=condition,
            names=OPEN_NAME | names,
            values={":effects": set(map(str, done)), **times, **values},
            **options,
        )
        for effect, at in sorted(done.items()) if item is not None else ():
            seconds = round((at - change.accepted_at).total_seconds(), 3)
            log_change(logger, "effect stamped", change, effect=str(effect), seconds=seconds)
        return item

    def pending_effects(self, keys: Sequence[ChangeKey]) -> dict[ChangeKey, set[Effect]]:
        """Return the effects of these changes that are open and have not failed permanently."""
        by_item_key = {tuple(change_key(*key).values()): key for key in keys}
        items = self._batch_get(
            [change_key(*key) for key in keys],
            ProjectionExpression="PK, SK, #open, failures",
            ExpressionAttributeNames=OPEN_NAME,
        )
        return {
            by_item_key[item["PK"], item["SK"]]: {
                Effect(effect)
                for effect in item.get("open", ())
                if not item["failures"].get(effect, {}).get("permanent")
            }
            for item in items
        }

    def discard(self, change: Change, effect: Effect, discard: Discard) -> Change | None:
        """Give an open effect up. Return the change after it, None if the effect is not open."""
        names = {"#discarded": discard_attribute(effect)}
        values = {":discard": discard_item(discard)}
        return self._end_effect(change, effect, DISCARD_EFFECT, names, values)

    def _end_effect(
        self, change: Change, effect: Effect, update: str, names: Item, values: Item
    ) -> Change | None:
        """Take the effect out of the open ones. Return the change after it, if it was open."""
        ended = self._update_item(
            _key(change),
            update,
            condition=EFFECT_IS_OPEN,
            names=OPEN_NAME | names,
            values={":effect": str(effect), ":effects": {str(effect)}, **values},
        )
        return to_change(ended) if ended else None

    def close(self, change: Change) -> bool:
        """Remove a change without open effects from the index. False when it was not in there."""
        closed = self._update_item(
            _key(change), REMOVE_OPEN_FLAG, condition=IS_CLOSABLE, names=OPEN_NAME
        )
        return closed is not None

    def fail(self, change: Change, effect: Effect, failure: Failure) -> None:
        """Note why an open effect failed."""
        log_change(
            logger,
            "effect failed",
            change,
            logging.WARNING,
            effect=str(effect),
            attempts=failure.attempts,
            permanent=failure.permanent,
            reason=failure.reason,
        )
        self._update_item(
            _key(change),
            SET_FAILURE,
            condition=EFFECT_IS_OPEN,
            names={**OPEN_NAME, "#effect": str(effect)},
            values={":failure": failure_item(failure), ":effect": str(effect)},
        )

    def record_requeue(self, change: Change, at: datetime) -> None:
        """Note that the relay has sent messages for the change again."""
        self._update_item(
            _key(change),
            COUNT_REQUEUE,
            condition=EXISTS,
            values={":at": format_timestamp(at), ":one": 1},
        )
        log_change(logger, "change requeued", change, rings=change.requeues[0] + 1)


def _notes_invalidation(change: Change, effects: Container[Effect]) -> bool:
    """Return whether a stamp notes the latest invalidation, as that of a stored record does."""
    return Effect.STORED in effects and change.last_invalidation is not None


def _stamp_expression(change: Change, effects: Collection[Effect]) -> str:
    """Return the update that marks these effects as done, without its last clauses."""
    times = ", ".join(f"done.#{effect} = :{effect}At" for effect in effects)
    if _notes_invalidation(change, effects):
        times = f"{times}, lastInvalidation = :number"
    failures = ", ".join(f"failures.#{effect}" for effect in effects)
    return f"SET {times} DELETE #open :effects REMOVE {failures}"


def _key(change: Change) -> Item:
    return change_key(change.product_id, change.version)
