"""Leave out library files that a function never reads, and shrink those it reads at each start."""

import gzip
import json
import re
from typing import Any

SERVICES = ("cloudfront", "dynamodb", "s3", "sqs", "ssm", "sts")
"""The AWS services a function calls; some configurations get their credentials from ``sts``."""
_NOT_READ = re.compile(
    rf"""(^|/)(tests|testing)/
      | ^django/test/
      | ^django/conf/locale/(?!en/|en_GB/|__init__)
      | ^django/contrib/(gis|postgres|sitemaps|syndication|flatpages|redirects|humanize)/
      | ^(django/contrib/\w+|rest_framework|csp|corsheaders)
          /(locale|static|templates|jinja2)/
      | ^django/conf/(app|project)_template/
      | ^botocore/data/.*(examples-1|waiters-2|paginators-1)\.json
      | ^botocore/data/(?!({"|".join(SERVICES)})/)[^/]+/
      | \.(pyi|po|c|h|pxd|pyx)$
      | \.dist-info/(?!METADATA|entry_points\.txt)
      | (^|/)py\.typed$
    """,
    re.VERBOSE,
)
_SERVICE_DESCRIPTION = re.compile(r"^botocore/data/\w+/[\d-]+/service-2\.json\.gz$")


def pruned(path: str, content: bytes) -> tuple[str, bytes] | None:
    """Return a file's name and content in the zip, or None for a file that is left out."""
    if _NOT_READ.search(path) or ".data/" in path:
        return None
    if _SERVICE_DESCRIPTION.match(path):
        text = gzip.decompress(content)
        description: Any = json.loads(text, object_hook=_without_documentation)
        return path.removesuffix(".gz"), _compact(description)
    if path == "botocore/data/endpoints.json":
        return path, _compact(_endpoints(json.loads(content)))
    return path, content


def _without_documentation(part: dict[str, Any]) -> dict[str, Any]:
    """Empty the documentation in a service description.

    It is two thirds of the file, which botocore loads at each start. botocore requires the key in
    some places, so the key stays.
    """
    return part | {"documentation": ""} if isinstance(part.get("documentation"), str) else part


def _endpoints(known: dict[str, Any]) -> dict[str, Any]:
    """Keep the endpoints of the services that a function calls."""
    for partition in known["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in SERVICES if name in services}
    return known


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
