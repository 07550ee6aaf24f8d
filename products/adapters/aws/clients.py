"""What the AWS adapters share: bounded clients, and the one list of faults that are not the request's."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from products.errors import DependencyUnavailable

PASSING = {
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
REFUSING = {
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
"""Nothing is wrong with the request, but with our deployment: it passes once an operator has mended that."""


def client(service: str, *, connect: float = 1, read: float = 2, attempts: int = 2) -> Any:
    """What boto3 calls a client; its calls end within about ``attempts * (connect + read)`` seconds.

    Region, credentials and endpoint come from the environment (``AWS_ENDPOINT_URL*``), so that no code knows them.
    """
    import botocore.session  # noqa: PLC0415 # a function that makes its calls directly starts without it
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=connect,
        read_timeout=read,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        max_pool_connections=32,
        tcp_keepalive=True,
    )
    session: Any = (
        botocore.session.get_session()
    )  # its types know each service only by a literal name
    session.register_component("data_loader", _loader())
    return session.create_client(service, config=config)


@cache
def _loader() -> Any:
    """It keeps what it has read: descriptions of endpoints and services are large, and the same for every client."""
    from botocore.loaders import Loader  # noqa: PLC0415

    return Loader()


@contextmanager
def calling(engine: str) -> Iterator[None]:
    """Turn a fault that is the engine's or the deployment's into EngineAway; every other error is a bug."""
    try:
        yield
    except BotoCoreError as fault:
        raise DependencyUnavailable(engine) from fault
    except ClientError as fault:
        status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or error_code(fault) in PASSING:
            raise DependencyUnavailable(engine) from fault
        if error_code(fault) in REFUSING:
            raise DependencyUnavailable(
                engine, f"does not serve us: {error_code(fault)}"
            ) from fault
        raise


def error_code(fault: ClientError) -> str:
    return str(fault.response.get("Error", {}).get("Code", ""))
