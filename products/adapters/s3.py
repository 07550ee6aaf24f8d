"""The audit trail in S3, written once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from storages.backends.s3 import S3Storage

from products.adapters.aws.clients import calling, error_code
from products.errors import EffectRefused


class WriteOnceStorage(S3Storage):  # type: ignore[misc] # django-storages has no types
    """django-storages' S3 storage, whose own upload can't carry If-None-Match; so this one puts the object itself."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
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
    storage: WriteOnceStorage

    def write(self, key: str, record: bytes) -> None:
        """Write once. A record that is there already is the same one: its key and its bytes follow from the change."""
        try:
            with calling("S3"):
                self.storage.save(key, ContentFile(record))
        except ClientError as fault:
            if error_code(fault) == "PreconditionFailed":
                return
            raise EffectRefused(f"S3 refused the audit record: {fault}") from fault

    def ping(self) -> None:
        """EngineAway or ClientError when the bucket can't be reached."""
        with calling("S3"):
            self.storage.connection.meta.client.head_bucket(Bucket=self.storage.bucket_name)


@dataclass(frozen=True, slots=True)
class S3AuditRecords:
    """The same bucket, read: by several threads at once, for which the storage would make a client each."""

    client: Any
    bucket: str

    def read(self, key: str) -> bytes | None:
        """What stands under the key; None when nothing does."""
        try:
            with calling("S3"):
                return bytes(self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        except ClientError as fault:
            if error_code(fault) != "NoSuchKey":
                raise
            return None

    def keys_after(self, after: str = "", prefix: str = "") -> Iterator[str]:
        """All keys behind this one, in their order, a thousand a call."""
        wanted = {"Bucket": self.bucket, "Prefix": prefix} | (
            {"StartAfter": after} if after else {}
        )
        with calling("S3"):
            for page in self.client.get_paginator("list_objects_v2").paginate(**wanted):
                yield from (entry["Key"] for entry in page.get("Contents", []))

    def folders(self, prefix: str = "") -> Iterator[str]:
        """The folders just below this one, e.g. ``2026/03/`` below ``2026/``."""
        wanted = {"Bucket": self.bucket, "Prefix": prefix, "Delimiter": "/"}
        with calling("S3"):
            for page in self.client.get_paginator("list_objects_v2").paginate(**wanted):
                yield from (entry["Prefix"] for entry in page.get("CommonPrefixes", []))
