"""Answers that no AWS service gives count as no answer.

botocore takes a page of HTML with status 200 for an empty result, which callers would read as
"there is no such item". Other odd answers raise any error of its parsers.
"""

import json
from typing import Any

from botocore.exceptions import HTTPClientError
from botocore.parsers import ResponseParserFactory

JSON_PROTOCOL = "json"  # of DynamoDB and SQS


class StrictParsers(ResponseParserFactory):
    """Makes botocore's parsers strict. A session has it as its component."""

    def create_parser(self, protocol_name: str) -> Any:
        """Return the strict parser of a protocol."""
        return _StrictParser(super().create_parser(protocol_name), protocol_name)


class _StrictParser:
    def __init__(self, parser: Any, protocol_name: str) -> None:
        self._parser = parser
        self._is_json = protocol_name == JSON_PROTOCOL

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    def parse(self, response: dict[str, Any], shape: Any) -> dict[str, Any]:
        """Return the content of a response. Raises: HTTPClientError when it can't be understood."""
        try:
            if self._is_json and response["status_code"] == 200:
                _require_object(response["body"])
            parsed = self._parser.parse(response, shape)
            _require_dictionary(parsed)
        except Exception as fault:  # botocore's parsers raise anything
            raise HTTPClientError(error=fault) from fault
        content: dict[str, Any] = parsed
        return content


def _require_object(body: bytes) -> None:
    """Raise ValueError unless the body is a JSON object. SQS answers deletions without a body."""
    _require_dictionary(json.loads(body or b"{}"))


def _require_dictionary(content: Any) -> None:
    if not isinstance(content, dict):
        raise TypeError(f"The response is no object, but {type(content).__name__}.")
