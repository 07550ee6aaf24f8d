"""Responses are read as http.client reads them, and refused where it refuses them."""

from http.client import HTTPException, HTTPResponse
from io import BytesIO
from typing import Any

import pytest

from products.adapters.aws.responses import MAX_HEADERS, MAX_LINE, read_response

OK = b"HTTP/1.1 200 OK\r\n"
RESPONSES = [
    OK + b"Content-Length: 2\r\n\r\n{}",
    OK + b"content-length:2\r\nConnection: Close\r\n\r\n{}",
    OK + b'Content-Length: 0\r\nETag: "a:b"\r\n\r\n',
    OK + b"Content-Length: 2\n\n{}",
    OK + b"X: y\r\n\r\nuntil the end",
    OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nTrailer: z\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 412\r\nContent-Length: 2\r\n\r\nno",
]
REFUSED = [
    b"",
    b"220 ftp ready\r\n",
    b"HTTP/1.1 xxx\r\n\r\n",
    b"HTTP/2 200 OK\r\n\r\n",
    OK + b"no header\r\n\r\n",
    OK,
    OK + b"Content-Length: 3\r\n\r\n{}",
    OK + b"X: " + MAX_LINE * b"x" + b"\r\n\r\n",
    OK + (MAX_HEADERS + 1) * b"X: y\r\n" + b"\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{",
    OK + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}",
    OK + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
]


class OneResponse:
    """A socket that has sent these bytes."""

    def __init__(self, sent: bytes) -> None:
        self.file = BytesIO(sent)

    def makefile(self, *_: Any) -> BytesIO:
        return self.file


@pytest.fixture(params=RESPONSES)
def sent(request: pytest.FixtureRequest) -> bytes:
    chosen: bytes = request.param
    return chosen


def test_a_response_is_the_one_of_http_client(sent: bytes) -> None:
    ours = read_response(BytesIO(sent))
    theirs = HTTPResponse(OneResponse(sent), method="POST")  # type: ignore[arg-type] # enough
    theirs.begin()
    assert (ours.status, ours.content) == (theirs.status, theirs.read())
    assert ours.headers == {name.lower(): value for name, value in theirs.getheaders()}
    assert ours.keeps_open is not theirs.will_close


def test_a_response_ends_where_the_next_one_begins(sent: bytes) -> None:
    file = BytesIO(sent + OK + b"Content-Length: 4\r\n\r\nnext")
    if read_response(file).keeps_open:
        assert read_response(file).content == b"next"


@pytest.mark.parametrize("sent", REFUSED)
def test_what_is_no_complete_response_is_refused(sent: bytes) -> None:
    with pytest.raises((HTTPException, ConnectionResetError)):
        read_response(BytesIO(sent))
