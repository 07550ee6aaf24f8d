"""Where a service is called, and with which credentials: as botocore would, mostly without it.

Importing botocore is the slowest part of a start on Lambda. There, region, endpoint and credentials
are environment variables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

SUPPORTED_VARIABLES = re.compile(
    r"AWS_(ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN|DEFAULT_REGION|REGION|ENDPOINT_URL\w*"
    r"|CA_BUNDLE|EC2_METADATA_DISABLED|EXECUTION_ENV|LAMBDA_\w+|XRAY_\w+)"
)
"""AWS variables that are read here, or that don't change how to call. Others need botocore."""
COMMERCIAL_REGION = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+")
"""Regions whose endpoints end with amazonaws.com (the ``aws`` partition in endpoints.json)."""
PLAIN_URL = re.compile(r"https?://[^/?#@]+")


class Keys(Protocol):
    """One set of keys, valid together."""

    @property
    def access_key(self) -> str: ...

    @property
    def secret_key(self) -> str: ...

    @property
    def token(self) -> str | None: ...


class Credentials(Protocol):
    """A source of keys, for example botocore's credentials of a container role, which rotate."""

    def get_frozen_credentials(self) -> Keys:
        """Return the keys that are valid now."""


@dataclass(frozen=True, slots=True)
class StaticKeys:
    """Keys that do not change while the process lives."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    def get_frozen_credentials(self) -> "StaticKeys":
        """Return the keys themselves."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address of a service, the credentials, and the time limits.

    ``connect`` and ``read`` are seconds: for opening a connection, and for each read.
    """

    service: str
    url: str
    region: str
    credentials: Credentials
    connect: float = 1
    read: float = 2

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def endpoint_from(service: str, environment: Mapping[str, str]) -> Endpoint | None:
    """Return the endpoint that botocore would use in this environment.

    Return None unless region and static keys are variables, and there is no proxy, profile or
    configuration file: only botocore knows the rules for those.
    """
    if _needs_botocore(environment):
        return None
    region = environment.get("AWS_DEFAULT_REGION", "")
    access_key = environment.get("AWS_ACCESS_KEY_ID")
    secret_key = environment.get("AWS_SECRET_ACCESS_KEY")
    if not (access_key and secret_key and COMMERCIAL_REGION.fullmatch(region)):
        return None
    url = (
        environment.get(f"AWS_ENDPOINT_URL_{service.upper()}")
        or environment.get("AWS_ENDPOINT_URL")
        or f"https://{service}.{region}.amazonaws.com"
    )
    if not PLAIN_URL.fullmatch(url):
        return None
    token = environment.get("AWS_SESSION_TOKEN") or None
    keys = StaticKeys(access_key, secret_key, token)
    return Endpoint(service=service, url=url, region=region, credentials=keys)


def _needs_botocore(environment: Mapping[str, str]) -> bool:
    has_proxy = any(
        name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in environment
    )
    has_other_variables = any(
        name.startswith("AWS_") and not SUPPORTED_VARIABLES.fullmatch(name) for name in environment
    )
    has_files = Path(environment.get("HOME", "/"), ".aws").exists()
    return has_proxy or has_other_variables or has_files


def endpoint_of(botocore_client: Any, credentials: Credentials | None) -> Endpoint | None:
    """Return the endpoint of a botocore client, with its region and time limits.

    Return None where a direct call can't do what the client does: behind a proxy, below a path, or
    without credentials.
    """
    # botocore is loaded already, since there is a client.
    from botocore.utils import get_environ_proxies  # noqa: PLC0415

    meta = botocore_client.meta
    if credentials is None or not PLAIN_URL.fullmatch(meta.endpoint_url):
        return None
    if meta.config.proxies or get_environ_proxies(meta.endpoint_url):
        return None
    return Endpoint(
        service=meta.service_model.signing_name,
        url=meta.endpoint_url,
        region=meta.region_name,
        credentials=credentials,
        connect=meta.config.connect_timeout,
        read=meta.config.read_timeout,
    )
