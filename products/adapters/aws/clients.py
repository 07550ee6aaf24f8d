"""botocore clients with time limits, and the one place that translates AWS errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from products.errors import DependencyUnavailable

REQUEST_ERRORS = {
    "DynamoDB": {
        "ConditionalCheckFailedException",
        "IdempotentParameterMismatchException",
        "ItemCollectionSizeLimitExceededException",
        "SerializationException",
        "TransactionCanceledException",
        "ValidationException",
    },
    "S3": {
        "EntityTooLarge",
        "InvalidArgument",
        "InvalidRequest",
        "KeyTooLongError",
        "NoSuchKey",
        "PreconditionFailed",
    },
    "CloudFront": {
        "InconsistentQuantities",
        "InvalidArgument",
        "MissingBody",
    },
    "SQS": {
        "AWS.SimpleQueueService.UnsupportedOperation",
        "InvalidMessageContents",
        "InvalidParameterValue",
        "ReceiptHandleIsInvalid",
        "UnsupportedOperation",
    },
}
"""Each service's error codes about the request itself; the same request would fail again.

All other codes are about the service, our rights or our deployment: throttling, expired
credentials, a missing bucket, a table that is being changed. They pass, or an operator ends them.
"""
INDEX_IS_NOT_READY = ("specified index", "backfilling")
"""Texts of a DynamoDB ValidationException about the table instead of the request."""


def client(
    service: str,
    *,
    connect: float = 1,
    read: float = 2,
    attempts: int = 2,
    session: Any = None,
) -> Any:
    """Return a botocore client of a service.

    A call takes at most about ``attempts * (connect + read)`` seconds, also if the service sends
    single bytes. Region, credentials and endpoint come from the environment
    (``AWS_ENDPOINT_URL*``), never from code. ``session`` is one of ``new_session``.
    """
    # A function that uses direct calls must start without loading botocore's client.
    from botocore.config import Config  # noqa: PLC0415

    from products.adapters.aws.timed_pools import limit_responses  # noqa: PLC0415

    config = Config(
        connect_timeout=connect,
        read_timeout=read,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        max_pool_connections=32,
        tcp_keepalive=True,
    )
    made = (session or new_session()).create_client(service, config=config)
    limit_responses(made)
    return made


def new_session() -> Any:
    """Return a botocore session, which finds region and credentials when they are needed."""
    import botocore.session  # noqa: PLC0415 # as above

    from products.adapters.aws.strict_parsing import StrictParsers  # noqa: PLC0415 # as above

    # Any, because the stubs know create_client only for a literal service name.
    session: Any = botocore.session.get_session()
    session.register_component("data_loader", _loader())
    session.register_component("response_parser_factory", StrictParsers())
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
    """Raise DependencyUnavailable for every fault that is not about the request itself.

    Those in REQUEST_ERRORS, and parameters that botocore rejects, pass unchanged.
    """
    try:
        yield
    except ParamValidationError:
        raise
    except BotoCoreError as fault:
        raise DependencyUnavailable(dependency) from fault
    except ClientError as fault:
        code = error_code(fault)
        status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500:
            raise DependencyUnavailable(dependency) from fault
        if code not in REQUEST_ERRORS[dependency] or is_about_an_index(fault):
            raise DependencyUnavailable(dependency, f"does not serve us: {code}") from fault
        raise


def is_about_an_index(fault: ClientError) -> bool:
    """Return whether the table lacks an index of a query, or DynamoDB still fills it."""
    message = str(fault.response.get("Error", {}).get("Message", ""))
    return any(text in message for text in INDEX_IS_NOT_READY)


def error_code(fault: ClientError) -> str:
    """Return AWS's code of the error, for example ``AccessDenied``."""
    return str(fault.response.get("Error", {}).get("Code", ""))
