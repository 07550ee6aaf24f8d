"""Bodies in every framing that HTTP allows, and clients that send theirs slowly or never."""

import json
import socket
from http.client import HTTPResponse

import pytest

from bbws_products.request_bodies import MAX_BYTES
from products.api.parsers import MAX_BODY_BYTES
from tests.support.builders import fields
from tests.support.processes import Deployment

HOSTILE_CLIENTS = 40  # more than the threads of all processes
EDIT = b'{"price": "1520.00"}'
CHUNKED = "Transfer-Encoding: chunked"


def chunks(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


def open_request(deployment: Deployment, head: str, body: bytes = b"") -> socket.socket:
    """Send a request and return its connection; the head has its own line for each header."""
    channel = socket.create_connection(("127.0.0.1", deployment.port), timeout=60)
    lines = [*head.strip().splitlines(), "Host: localhost"]
    channel.sendall("".join(f"{line.strip()}\r\n" for line in lines).encode() + b"\r\n" + body)
    return channel


def answer_of(channel: socket.socket) -> tuple[int, bytes]:
    with channel, HTTPResponse(channel) as answer:
        answer.begin()
        return answer.status, answer.read()


def patch_head(deployment: Deployment, *headers: str) -> str:
    return "\n".join(
        [
            "PATCH /v1.0/products/p1 HTTP/1.1",
            f"Authorization: Bearer {deployment.token()}",
            "Content-Type: application/json",
            *headers,
        ]
    )


@pytest.fixture
def web(deployment: Deployment) -> Deployment:
    deployment.start_web(THROTTLE_PUBLIC="0", THROTTLE_STAFF="0")
    assert deployment.call("POST", "/v1.0/products", {"productId": "p1", **fields()})[0] == 202
    return deployment


def test_body_in_every_framing_is_taken(web: Deployment) -> None:
    framings = {
        f"Content-Length: {len(EDIT)}": EDIT,
        CHUNKED: chunks(EDIT),
        f"{CHUNKED}\nX-One: 1": chunks(*(EDIT[place : place + 1] for place in range(len(EDIT)))),
        f"{CHUNKED}\nTrailer: X-Sum": chunks(EDIT, end=b"0\r\nX-Sum: 1\r\n\r\n"),
        f"{CHUNKED}\nExpect: 100-continue": chunks(EDIT),
    }
    for version, (headers, body) in enumerate(framings.items(), 2):
        edit = body.replace(b"1520.00", b"1520.%02d" % version)
        channel = open_request(web, patch_head(web, *headers.splitlines()), edit)
        status, answer = answer_of(channel)
        if "X-One" not in headers:  # the bytes of the amount are chunks of their own there
            assert (status, json.loads(answer)["version"]) == (202, version), headers
        else:
            assert status == 202, headers


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (CHUNKED, chunks(b'{"nonsense":'), 400),
        (CHUNKED, b"3\r\n" + EDIT, 400),
        (f"{CHUNKED}\nX-Cut: 1", chunks(EDIT, end=b""), 400),
        (f"Content-Length: {len(EDIT) + 9}", EDIT, 400),
        ("Transfer-Encoding: gzip, chunked", chunks(EDIT), 501),
        (f"Content-Length: {MAX_BYTES + 1}", b"", 413),
        (CHUNKED, chunks(b"[" * (MAX_BODY_BYTES + 1)), 413),
    ],
)
def test_body_that_is_not_taken_is_refused(
    web: Deployment, headers: str, body: bytes, status: int
) -> None:
    channel = open_request(web, patch_head(web, *headers.splitlines()), body)
    if status == 400:
        channel.shutdown(socket.SHUT_WR)  # else the server would wait for the rest
    try:
        answered, _ = answer_of(channel)
    except OSError:  # the server closed the connection before the answer was read
        answered = status
    assert answered == status
    assert web.call("GET", "/v1.0/products/p1/changes/2")[0] == 404


def test_repeated_chunked_write_is_replayed_under_its_key(web: Deployment) -> None:
    head = patch_head(web, CHUNKED, "Idempotency-Key: stream-1")
    versions = [
        json.loads(answer_of(open_request(web, head, chunks(EDIT)))[1])["version"] for _ in range(2)
    ]
    assert versions == [2, 2]


@pytest.mark.parametrize(
    "head",
    [
        "POST /v1.0/products HTTP/1.1\nContent-Type: application/json\nContent-Length: 10",
        "POST /v1.0/products HTTP/1.1\nAuthorization: Bearer x\nContent-Length: 10",
        f"POST /v1.0/products HTTP/1.1\n{CHUNKED}\nAuthorization: Bearer x",
        "POST /admin/login/ HTTP/1.1\nContent-Length: 10\nCookie: csrftoken=x",
        f"POST /admin/ HTTP/1.1\nContent-Length: {MAX_BYTES}\nCookie: sessionid=x",
        "GET /v1.0/products HTTP/1.1\nContent-Length: 10",
    ],
)
def test_half_sent_bodies_hold_up_nobody(web: Deployment, head: str) -> None:
    hostile = [open_request(web, head, b"12345") for _ in range(HOSTILE_CLIENTS)]
    try:
        for path in ("/healthz", "/v1.0/products"):
            assert web.call("GET", path)[0] == 200
        edit = open_request(web, patch_head(web, CHUNKED), chunks(EDIT))
        assert answer_of(edit)[0] == 202
    finally:
        for channel in hostile:
            channel.close()


def test_refusal_does_not_wait_for_the_body(web: Deployment) -> None:
    head = "POST /v1.0/products HTTP/1.1\nContent-Type: application/json\nContent-Length: 10"
    assert answer_of(open_request(web, head))[0] == 401


@pytest.mark.parametrize("cookie", ["csrftoken=x", "csrftoken=x; sessionid=forged"])
def test_upload_without_a_login_reaches_no_disk(web: Deployment, cookie: str) -> None:
    form = "Content-Type: multipart/form-data; boundary=b"
    head = f"POST /admin/ HTTP/1.1\nContent-Length: 9000000\n{form}\nCookie: {cookie}"
    web.migrate()
    status, answer = answer_of(open_request(web, head))
    assert status == 413
    assert b"needs a login" in answer
