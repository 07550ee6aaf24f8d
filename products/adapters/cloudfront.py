"""The CDN in front of the public API."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import translate_errors
from products.errors import DependencyUnavailable, EffectRefused

PATHS = ["/v1.0/products*"]
"""The list, its pages and every product: CloudFront charges a wildcard as one path."""


@dataclass(frozen=True, slots=True)
class CloudFront:
    """One CloudFront distribution."""

    client: Any
    distribution_id: str

    def purge(self, reference: str) -> None:
        """Invalidate every cached product response.

        CloudFront answers a repeated reference with the invalidation it made for the first one.

        Raises: DependencyUnavailable, or EffectRefused when CloudFront refuses the request.
        """
        batch = {"CallerReference": reference, "Paths": {"Quantity": len(PATHS), "Items": PATHS}}
        try:
            with translate_errors("CloudFront"):
                made = self.client.create_invalidation(
                    DistributionId=self.distribution_id, InvalidationBatch=batch
                )
        except ClientError as fault:
            raise EffectRefused(f"CloudFront refused the invalidation: {fault}") from fault
        if "Id" not in made.get("Invalidation", {}):  # a page of something in front of CloudFront
            raise DependencyUnavailable("CloudFront")

    def ping(self) -> None:
        """Read the distribution, for the readiness check.

        Raises: DependencyUnavailable or ClientError.
        """
        with translate_errors("CloudFront"):
            self.client.get_distribution(Id=self.distribution_id)
