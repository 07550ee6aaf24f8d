"""The charset that a request names: it neither breaks the answer nor makes another one."""

from typing import Any

import pytest
from django.test import RequestFactory

from bbws_products.asgi import environ_of
from bbws_products.request_charset import UNREAD, use_utf8
from bbws_products.wsgi import application
from tests.support.world import World

FORM = "application/x-www-form-urlencoded"
EXTENDED = [
    "charset*=utf-16",
    "charset*=utf-8''zlib",
    "charset*0=utf-; charset*1=16",
    "x*=unknown''a",
    "x*=undefined''%ff",
]
"""Parameters as in RFC 2231."""
CHARSETS = ["zlib", "rot13", "undefined", "idna", "punycode", "utf-16", "cp037", '"utf-7"', ""]


def status_of(path: str, content_type: str) -> int:
    """Return the status of a request to the server's application."""
    found: list[int] = []

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        found.append(int(status[:3]))
        return lambda _: None

    path, _, query = path.partition("?")
    environ = RequestFactory().get(path).environ
    environ |= {"QUERY_STRING": query, "CONTENT_TYPE": content_type}
    list(application(environ, start))
    return found[0]


@pytest.mark.django_db
@pytest.mark.parametrize("charset", CHARSETS)
def test_charset_of_a_request_changes_nothing(charset: str, world: World) -> None:
    for path in ("/v1.0/products?limit=%35", "/v1.0/products?limit=%F5", "/no?x=%41"):
        named = status_of(path, f"text/plain; charset={charset}; x=y")
        assert (path, named) == (path, status_of(path, ""))


@pytest.mark.parametrize("charset", CHARSETS)
def test_form_in_another_charset_is_not_read(charset: str) -> None:
    environ = {"CONTENT_TYPE": f"{FORM}; Charset={charset}"}
    use_utf8(environ)
    assert environ["CONTENT_TYPE"] == UNREAD


@pytest.mark.django_db
@pytest.mark.parametrize("parameters", EXTENDED)
def test_extended_parameter_of_a_request_changes_nothing(parameters: str, world: World) -> None:
    path = "/v1.0/products?limit=%35"
    assert status_of(path, f"text/plain; {parameters}") == status_of(path, "")


@pytest.mark.parametrize("parameters", EXTENDED)
def test_form_with_an_extended_parameter_is_not_read(parameters: str) -> None:
    environ = {"CONTENT_TYPE": f"{FORM}; {parameters}"}
    use_utf8(environ)
    assert environ["CONTENT_TYPE"] == UNREAD


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "identity, gzip", "br", "x"])
@pytest.mark.parametrize("kind", [FORM, "application/json", "multipart/form-data; boundary=x"])
def test_body_with_a_content_coding_is_not_read(kind: str, coding: str) -> None:
    environ = {"CONTENT_TYPE": kind, "HTTP_CONTENT_ENCODING": coding}
    use_utf8(environ)
    assert environ["CONTENT_TYPE"] == UNREAD


@pytest.mark.parametrize("coding", ["", "identity", " Identity "])
def test_body_without_a_content_coding_is_read(coding: str) -> None:
    environ = {"CONTENT_TYPE": FORM, "HTTP_CONTENT_ENCODING": coding}
    use_utf8(environ)
    assert environ["CONTENT_TYPE"] == FORM


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "us-ascii"])
def test_form_in_utf8_is_read(charset: str) -> None:
    environ = {"CONTENT_TYPE": f"multipart/form-data; charset={charset}; boundary=x"}
    use_utf8(environ)
    assert environ["CONTENT_TYPE"] == "multipart/form-data; boundary=x"


def test_server_removes_the_charset_before_it_asks_who_writes() -> None:
    scope = {
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 9),
        "method": "POST",
        "raw_path": b"/",
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "headers": [(b"content-type", b"application/json; charset=zlib")],
    }
    assert environ_of(scope)["CONTENT_TYPE"] == "application/json"
