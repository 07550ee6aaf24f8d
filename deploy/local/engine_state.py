"""What is left of the embedded AWS after a crash, and the repair.

It writes its tables to a file when it stops, but objects of S3 immediately. After a crash or on a
full disk, the tables are those of the last stop. Audit records of lost changes would then look
like forged ones for ever, so they are set aside.
"""

from datetime import UTC, datetime
from pathlib import Path

import boto3

STATE = Path("aws", "dynamodb.json")
STARTED = "aws-started"  # a file that is touched at each start


def begin_run(home: Path) -> datetime | None:
    """Note that a run starts now. Return when the last one began if its tables were not saved."""
    since = unsaved_since(home)
    (home / STARTED).touch()
    return since


def unsaved_since(home: Path) -> datetime | None:
    """Return the start of the last run if its tables were not saved; None if they were."""
    started, state = home / STARTED, home / STATE
    if not started.exists():
        return None
    at = started.stat().st_mtime
    if state.exists() and state.stat().st_mtime >= at:
        return None
    return datetime.fromtimestamp(at, UTC)


def set_audit_records_aside(bucket: str, since: datetime, home: Path) -> str:
    """Move the audit records written since then to a folder; return a sentence about it."""
    s3 = boto3.client("s3")
    folder, count = home / "lost-audit", 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            if entry["LastModified"] < since:
                continue
            path = folder / entry["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            content = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            path.write_bytes(content)
            s3.delete_object(Bucket=bucket, Key=entry["Key"])
            count += 1
    return (
        f"The embedded AWS ended without saving its tables: changes since {since:%d %b %H:%M} UTC "
        f"are lost. Their {count} audit records were moved to {folder}."
    )
