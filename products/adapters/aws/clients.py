"""botocore clients with time limits, and the one place that translates AWS errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from products.errors import DependencyUnavailable

TRANSIENT_ERRORS = {
    "ConditionalRequestConflict",
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyInvalidationsInProgress",
    "TransactionInProgressException",
}
"""Error codes of a service that can't serve any request right now."""
DEPLOYMENT_ERRORS = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "NoSuchBucket",
    "NoSuchDistribution",
    "ResourceNotFoundException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
"""Error codes of a fault in our deployment: the request succeeds once an operator has fixed it."""


def client(
    service: str,
    *,
    connect: float = 1,
    read: float = 2,
    attempts: int = 2,
    session: Any = None,
) -> Any:
    """Return a botocore client of a service.

    A call takes at most about ``attempts * (connect + read)`` seconds. Region, credentials and
    endpoint come from the environment (``AWS_ENDPOINT_URL*``), never from code. ``session`` is one
    of ``new_session``.
    """
    # A function that uses direct calls must start without loading botocore's client.
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=connect,
        read_timeout=read,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        max_pool_connections=32,
        tcp_keepalive=True,
    )
    return (session or new_session()).create_client(service, config=config)


def new_session() -> Any:
    """Return a botocore session, which finds region and credentials when they are needed."""
    import botocore.session  # noqa: PLC0415 # as above

    # Any, because the stubs know create_client only for a literal service name.
    session: Any = botocore.session.get_session()
    session.register_component("data_loader", _loader())
    return session


@cache
def _loader() -> Any:
    """Return the loader that all clients share.

    It caches the service descriptions, which are large and the same for every client.
    """
    from botocore.loaders import Loader  # noqa: PLC0415

    return Loader()


@contextmanager
def translate_errors(dependency: str) -> Iterator[None]:
    """Raise DependencyUnavailable for a fault of the service or of our deployment.

    Every other error passes unchanged: it is about the request.
    """
    try:
        yield
    except BotoCoreError as fault:
        raise DependencyUnavailable(dependency) from fault
    except ClientError as fault:
        code = error_code(fault)
        status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or code in TRANSIENT_ERRORS:
            raise DependencyUnavailable(dependency) from fault
        if code in DEPLOYMENT_ERRORS:
            raise DependencyUnavailable(dependency, f"does not serve us: {code}") from fault
        raise


def error_code(fault: ClientError) -> str:
    """Return AWS's code of the error, for example ``AccessDenied``."""
    return str(fault.response.get("Error", {}).get("Code", ""))
