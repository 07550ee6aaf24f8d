"""The storage of product images in S3."""

from typing import Any

from storages.backends.s3 import S3Storage

from products.adapters.aws.timed_pools import limit_responses


class MediaStorage(S3Storage):  # type: ignore[misc] # it has no types
    """S3's storage for Django, with a time limit for each whole response."""

    @property
    def connection(self) -> Any:
        """The resource that this thread uses."""
        resource = super().connection
        limit_responses(resource.meta.client)
        return resource
