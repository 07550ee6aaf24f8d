"""S3: the audit trail, whose objects are written once, and the images of products."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.aws.clients import error_code, translate_errors
from products.errors import DependencyUnavailable, EffectRefused


@dataclass(frozen=True, slots=True)
class S3AuditTrail:
    """The audit trail in one bucket, for several threads."""

    client: Any
    bucket: str

    def write(self, key: str, record: bytes) -> None:
        """Write a record, unless the key exists already.

        An existing record is identical, since key and content both follow from the change.

        Raises: DependencyUnavailable, or EffectRefused when S3 refuses the record.
        """
        try:
            with translate_errors("S3"):
                written = self.client.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=record,
                    ContentType="application/json",
                    IfNoneMatch="*",
                )
        except ClientError as fault:
            if error_code(fault) == "PreconditionFailed":
                return
            raise EffectRefused(f"S3 refused the audit record: {fault}") from fault
        if "ETag" not in written:  # a page of something in front of S3
            raise DependencyUnavailable("S3")

    def ping(self) -> None:
        """Read the bucket's head, for the readiness check.

        Raises: DependencyUnavailable or ClientError.
        """
        with translate_errors("S3"):
            self.client.head_bucket(Bucket=self.bucket)

    def read(self, key: str) -> bytes | None:
        """Return the content of an object, or None when the key does not exist."""
        try:
            with translate_errors("S3"):
                response = self.client.get_object(Bucket=self.bucket, Key=key)
                return bytes(response["Body"].read())
        except ClientError as fault:
            if error_code(fault) != "NoSuchKey":
                raise
            return None

    def keys_after(self, after: str = "", prefix: str = "") -> Iterator[str]:
        """Yield the keys that sort after ``after``, in order."""
        arguments = {"Prefix": prefix}
        if after:
            arguments["StartAfter"] = after
        for page in self._pages(**arguments):
            yield from (entry["Key"] for entry in page.get("Contents", []))

    def folders(self, prefix: str = "") -> Iterator[str]:
        """Yield the folders one level below a prefix, e.g. ``2026/03/`` below ``2026/``."""
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            yield from (entry["Prefix"] for entry in page.get("CommonPrefixes", []))

    def _pages(self, **arguments: str) -> Iterator[dict[str, Any]]:
        with translate_errors("S3"):
            paginator = self.client.get_paginator("list_objects_v2")
            yield from paginator.paginate(Bucket=self.bucket, **arguments)


@dataclass(frozen=True, slots=True)
class S3Media:
    """The images in one bucket, for several threads."""

    client: Any
    bucket: str

    def exists(self, key: str) -> bool:
        """Return whether there is an image with this key. Raises: DependencyUnavailable.

        A list of one key, because S3 answers a look at a missing object like a missing bucket.
        """
        with translate_errors("S3"):
            found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1)
        if found.get("Name") != self.bucket:  # a page of something in front of S3
            raise DependencyUnavailable("S3")
        return [entry["Key"] for entry in found.get("Contents", ())] == [key]
