"""What of the libraries a function never reads stays out of its zip; what it reads at each start is made short."""

import gzip
import json
import re
from typing import Any

SERVICES = ("cloudfront", "dynamodb", "s3", "sqs", "ssm", "sts")
"""The AWS services a function talks to, ``sts`` for the credentials of some set-ups."""
NOT_NEEDED = {
    "click-didyoumean": "Celery's command line",
    "click-plugins": "Celery's command line",
    "click-repl": "Celery's command line",
    "opensearch-protobufs": "OpenSearch over gRPC, with 17 MB of it",
    "pycparser": "compiling with cffi",
}
"""What libraries ask for and a function never imports."""
_NEVER = re.compile(
    rf"""(^|/)(tests|testing)/
      | ^django/test/
      | ^django/conf/locale/(?!en/|en_GB/|__init__)
      | ^django/contrib/(gis|postgres|sitemaps|syndication|flatpages|redirects|humanize)/
      | ^(django/contrib/\w+|rest_framework|csp|corsheaders|storages)/(locale|static|templates|jinja2)/
      | ^django/conf/(app|project)_template/
      | ^(boto3|botocore)/(data/.*(examples-1|waiters-2|paginators-1)\.json|examples/)
      | ^boto3/data/(?!s3/)
      | ^botocore/data/(?!({"|".join(SERVICES)})/)[^/]+/
      | \.(pyi|po|c|h|pxd|pyx)$
      | \.dist-info/(?!METADATA|entry_points\.txt)
      | (^|/)py\.typed$
    """,
    re.VERBOSE,
)
_WORDS = re.compile(r"^botocore/data/\w+/[\d-]+/service-2\.json\.gz$")


def pruned(path: str, content: bytes) -> tuple[str, bytes] | None:
    """The file as it goes into the zip, by which name; None for one that does not."""
    if _NEVER.search(path) or ".data/" in path:
        return None
    if _WORDS.match(path):
        described: Any = json.loads(gzip.decompress(content), object_hook=_without_words)
        return path.removesuffix(".gz"), _short(described)
    if path == "botocore/data/endpoints.json":
        return path, _short(_endpoints(json.loads(content)))
    return path, content


def _without_words(part: dict[str, Any]) -> dict[str, Any]:
    """Two thirds of a service's description are documentation, which is read at each start to be thrown away.

    botocore insists on the word in some places, so it stays, with nothing to it.
    """
    return part | {"documentation": ""} if isinstance(part.get("documentation"), str) else part


def _endpoints(known: dict[str, Any]) -> dict[str, Any]:
    for partition in known["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in SERVICES if name in services}
    return known


def _short(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
