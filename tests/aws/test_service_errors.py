"""Which errors of AWS are about a request, and which about the service or our deployment."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from products.adapters.aws.clients import REQUEST_ERRORS, translate_errors
from products.adapters.dynamodb.table import DynamoProductTable
from products.errors import DependencyUnavailable

PASSING = {
    "DynamoDB": (
        "AccessDeniedException",
        "ExpiredTokenException",
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "ResourceInUseException",
        "ResourceNotFoundException",
        "ThrottlingException",
        "TransactionInProgressException",
        "UnrecognizedClientException",
    ),
    "S3": (
        "AccessDenied",
        "ConditionalRequestConflict",
        "ExpiredToken",
        "InternalError",
        "InvalidBucketState",
        "KMS.DisabledException",
        "NoSuchBucket",
        "OperationAborted",
        "PermanentRedirect",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "SlowDown",
    ),
    "CloudFront": (
        "AccessDenied",
        "NoSuchDistribution",
        "ServiceUnavailable",
        "Throttling",
        "TooManyInvalidationsInProgress",
    ),
    "SQS": (
        "AWS.SimpleQueueService.NonExistentQueue",
        "KmsThrottled",
        "OverLimit",
        "QueueDoesNotExist",
        "RequestThrottled",
    ),
}
"""Codes from each service's API reference that pass, or that an operator ends."""


def client_error(code: str, message: str = "no") -> ClientError:
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(response, "Call")  # type: ignore[arg-type] # boto3 builds it the same way


@pytest.mark.parametrize(
    ("service", "code"), [(service, code) for service in PASSING for code in PASSING[service]]
)
def test_an_error_of_the_service_is_unavailability(service: str, code: str) -> None:
    sentence = f"{service} does not serve us: {code}"
    with pytest.raises(DependencyUnavailable, match=sentence), translate_errors(service):
        raise client_error(code)


@pytest.mark.parametrize(
    ("service", "code"), [(name, code) for name in REQUEST_ERRORS for code in REQUEST_ERRORS[name]]
)
def test_an_error_of_the_request_passes(service: str, code: str) -> None:
    with pytest.raises(ClientError), translate_errors(service):
        raise client_error(code)


@pytest.mark.parametrize(
    "message",
    [
        "The table does not have the specified index: byPrice",
        "Cannot read from backfilling global secondary index: byPrice",
    ],
)
def test_an_index_that_is_being_made_is_unavailability(message: str) -> None:
    with pytest.raises(DependencyUnavailable), translate_errors("DynamoDB"):
        raise client_error("ValidationException", message)


def test_a_parameter_that_botocore_rejects_is_an_error_of_ours() -> None:
    with pytest.raises(ParamValidationError), translate_errors("S3"):
        raise ParamValidationError(report="Missing required parameter")


class CancellingClient:
    """A DynamoDB that cancels each transaction for these reasons, one for each write."""

    def __init__(self, *codes: str) -> None:
        self.reasons = [{"Code": code} for code in codes]

    def transact_write_items(self, **arguments: Any) -> None:
        response = {
            "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
            "CancellationReasons": self.reasons,
        }
        raise ClientError(response, "TransactWriteItems")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceeded", "ThrottlingError", "AccessDenied", "NotKnownToday"],
)
def test_a_transaction_that_the_table_could_not_serve_is_unavailability(code: str) -> None:
    table = DynamoProductTable(CancellingClient("ConditionalCheckFailed", code), "products")
    with pytest.raises(DependencyUnavailable, match=f"DynamoDB does not serve us: {code}"):
        table.append([])


def test_a_transaction_with_an_invalid_write_is_an_error_of_ours() -> None:
    table = DynamoProductTable(CancellingClient("None", "ValidationError"), "products")
    with pytest.raises(ClientError):
        table.append([])


def test_a_transaction_that_lost_a_race_is_planned_again() -> None:
    table = DynamoProductTable(CancellingClient("None", "TransactionConflict"), "products")
    assert table.append([]) is not None
