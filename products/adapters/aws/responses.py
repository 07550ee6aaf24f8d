"""HTTP responses as services of AWS send them, read without Python's e-mail parser.

That parser reads the headers for http.client, and takes a tenth of the CPU time of a write.
"""

from dataclasses import dataclass
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong
from typing import BinaryIO

MAX_LINE = 65_536  # bytes, as in http.client
MAX_HEADERS = 100  # as in http.client


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response. The names of the headers are in lower case.

    ``keeps_open`` says whether the connection may carry another call.
    """

    status: int
    headers: dict[str, str]
    content: bytes
    keeps_open: bool


def read_response(file: BinaryIO) -> Response:
    """Read the response to a POST or PUT.

    Raises: ConnectionResetError when there is none, HTTPException when it is not HTTP or not
    complete, OSError of the connection.
    """
    version, status = _read_status(file)
    headers = _read_headers(file)
    while status < 200:  # "100 Continue" and its like precede the response
        version, status = _read_status(file)
        headers = _read_headers(file)
    length = headers.get("content-length", "")
    is_bounded = True
    if status == 204:
        content = b""
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        content = _read_chunks(file)
    elif length.isascii() and length.isdigit():
        content = _read_exactly(file, int(length))
    else:
        content, is_bounded = file.read(), False
    may_stay = version == "HTTP/1.1" and "close" not in headers.get("connection", "").lower()
    return Response(status, headers, content, keeps_open=is_bounded and may_stay)


def _read_status(file: BinaryIO) -> tuple[str, int]:
    """Return the protocol version and the status."""
    line = _read_line(file)
    if not line:
        raise ConnectionResetError("The service closed the connection without a response.")
    version, _, rest = line.partition(" ")
    code = rest[:3]
    if version not in ("HTTP/1.1", "HTTP/1.0") or not (code.isascii() and code.isdigit()):
        raise BadStatusLine(line)
    return version, int(code)


def _read_headers(file: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADERS):
        line = _read_line(file)
        if line in ("\r\n", "\n"):
            return headers
        name, colon, value = line.partition(":")
        if not colon:
            raise HTTPException(f"{line!r} is no header.")
        headers[name.lower()] = value.strip()
    raise HTTPException(f"The response has more than {MAX_HEADERS} headers.")


def _read_chunks(file: BinaryIO) -> bytes:
    """Return the content of a chunked response."""
    chunks: list[bytes] = []
    while size := _chunk_size(_read_line(file)):
        chunks.append(_read_exactly(file, size))
        _read_line(file)
    _read_headers(file)  # trailers
    return b"".join(chunks)


def _chunk_size(line: str) -> int:
    try:
        size = int(line.partition(";")[0], 16)
    except ValueError:
        size = -1
    if size < 0:
        raise HTTPException(f"{line!r} is no size of a chunk.")
    return size


def _read_exactly(file: BinaryIO, size: int) -> bytes:
    content = file.read(size)
    if len(content) < size:
        raise IncompleteRead(content, size - len(content))
    return content


def _read_line(file: BinaryIO) -> str:
    line = file.readline(MAX_LINE + 1)
    if len(line) > MAX_LINE:
        raise LineTooLong("line")
    return line.decode("latin-1")
