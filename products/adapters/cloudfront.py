"""The CDN in front of the public API."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import calling
from products.errors import EffectRefused

PATHS = ["/v1.0/products*"]
"""The list, its pages and every product: one wildcard is one path in CloudFront's price."""


@dataclass(frozen=True, slots=True)
class CloudFront:
    client: Any
    distribution_id: str

    def purge(self, reference: str) -> None:
        """Ask for one purge; CloudFront answers a known reference with the invalidation it already made."""
        batch = {"CallerReference": reference, "Paths": {"Quantity": len(PATHS), "Items": PATHS}}
        try:
            with calling("CloudFront"):
                self.client.create_invalidation(
                    DistributionId=self.distribution_id, InvalidationBatch=batch
                )
        except ClientError as fault:
            raise EffectRefused(f"CloudFront refused the invalidation: {fault}") from fault

    def ping(self) -> None:
        """EngineAway or ClientError when the distribution can't be reached."""
        with calling("CloudFront"):
            self.client.get_distribution(Id=self.distribution_id)
