"""The latest CloudFront invalidation, which all workers share through one item."""

import logging
from dataclasses import dataclass

from products.adapters.dynamodb.calls import IS_NEW, DynamoCalls
from products.adapters.dynamodb.items import INVALIDATION_KEY
from products.documents import format_timestamp, parse_timestamp
from products.invalidation import Invalidation

logger = logging.getLogger(__name__)

IS_NEW_OR_HIGHER = f"{IS_NEW} OR #number < :number"
IS_THIS_ONE = "#number = :number"
SET_CONFIRMED = "SET confirmed = :yes"
NUMBER_NAME = {"#number": "number"}  # NUMBER is one of DynamoDB's reserved words


@dataclass(frozen=True, slots=True)
class DynamoInvalidations(DynamoCalls):
    """The latest invalidation. Only one worker can begin the next number."""

    def invalidation(self) -> Invalidation | None:
        """Return the latest invalidation."""
        item = self._get_item(INVALIDATION_KEY)
        if not item:
            return None
        return Invalidation(
            number=int(item["number"]),
            started_at=parse_timestamp(item["startedAt"]),
            confirmed=item["confirmed"],
        )

    def begin_invalidation(self, invalidation: Invalidation) -> bool:
        """Save it as the latest; return False when another worker has begun this number."""
        item = {
            **INVALIDATION_KEY,
            "number": invalidation.number,
            "startedAt": format_timestamp(invalidation.started_at),
            "confirmed": False,
        }
        request = self._put_request(item, IS_NEW_OR_HIGHER, {":number": invalidation.number})
        has_begun = self._put_item(request, ExpressionAttributeNames=NUMBER_NAME)
        if has_begun:
            logger.info("invalidation begun", extra={"invalidation": invalidation.reference})
        return has_begun

    def confirm_invalidation(self, invalidation: Invalidation) -> None:
        """Note that CloudFront has accepted the invalidation."""
        self._update_item(
            INVALIDATION_KEY,
            SET_CONFIRMED,
            condition=IS_THIS_ONE,
            names=NUMBER_NAME,
            values={":number": invalidation.number, ":yes": True},
        )
        logger.info("invalidation confirmed", extra={"invalidation": invalidation.reference})
