"""The audit trail in S3, whose objects are written once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from storages.backends.s3 import S3Storage

from products.adapters.aws.clients import error_code, translate_errors
from products.errors import EffectRefused


class WriteOnceStorage(S3Storage):  # type: ignore[misc] # django-storages has no types
    """django-storages' S3 storage, except that it never overwrites an object.

    Its own upload can't send If-None-Match, so this class puts the object itself.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name unchanged: a second write must meet the first object."""
        return name

    def _save(self, name: str, content: Any) -> str:
        self.connection.meta.client.put_object(
            Bucket=self.bucket_name,
            Key=name,
            Body=content.read(),
            ContentType="application/json",
            IfNoneMatch="*",
        )
        return name


@dataclass(frozen=True, slots=True)
class S3AuditTrail:
    """The audit trail, for writing."""

    storage: WriteOnceStorage

    def write(self, key: str, record: bytes) -> None:
        """Write a record, unless the key exists already.

        An existing record is identical, since key and content both follow from the change.

        Raises: DependencyUnavailable, or EffectRefused when S3 refuses the record.
        """
        try:
            with translate_errors("S3"):
                self.storage.save(key, ContentFile(record))
        except ClientError as fault:
            if error_code(fault) == "PreconditionFailed":
                return
            raise EffectRefused(f"S3 refused the audit record: {fault}") from fault

    def ping(self) -> None:
        """Read the bucket's head, for the readiness check.

        Raises: DependencyUnavailable or ClientError.
        """
        with translate_errors("S3"):
            self.storage.connection.meta.client.head_bucket(Bucket=self.storage.bucket_name)


@dataclass(frozen=True, slots=True)
class S3AuditRecords:
    """The audit trail, for reading by several threads.

    It has a plain client, because django-storages makes one for each thread.
    """

    client: Any
    bucket: str

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
