"""The API on Lambda: API Gateway's events, as the requests they stand for, to the WSGI application.

All that any request needs is done here, at import: Lambda gives the start of a small function a whole processor, and a
request a seventh of one.
"""

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIEnvironment

gc.disable()  # what is loaded here stays: to look through it for garbage would take an eighth of the start

from apig_wsgi import make_lambda_handler
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from bbws_products.settings.environment import text_list
from products.bootstrap import catalogue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.api")


@contextmanager
def hidden_module(library: str) -> Iterator[None]:
    """Whoever looks meanwhile for this optional library does not find it; one that is loaded already stays."""
    if library in sys.modules:
        yield
        return
    sys.modules[library] = None  # type: ignore[assignment] # Python's own way to say that it can't be imported
    try:
        yield
    finally:
        del sys.modules[library]


with hidden_module("requests"):  # DRF takes it for a client that tests may use, and with it urllib3
    import rest_framework.compat  # noqa: F401

django_application = get_wsgi_application()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Django's, with what only API Gateway knows of the request put right."""
    environ.update(corrections(environ["apig_wsgi.full_event"]))
    context = environ["apig_wsgi.full_event"]["requestContext"]
    environ.setdefault("HTTP_X_REQUEST_ID", context.get("requestId", ""))
    environ.setdefault("HTTP_X_FORWARDED_PROTO", "https")  # API Gateway speaks nothing else
    body = django_application(environ, start_response)
    return (
        [] if environ["REQUEST_METHOD"] == "HEAD" else body
    )  # a server takes it away; API Gateway sends it on


def corrections(event: Mapping[str, Any]) -> dict[str, str]:
    """The caller's address, and the path without the stage that API Gateway's own address begins with.

    The adapter takes the address from the start of X-Forwarded-For, which is whatever a caller writes there. Behind
    CloudFront, which puts the stage before the path by itself, no link of ours may show it; else each must.
    """
    context = event["requestContext"]
    if "http" in context:
        source, path = context["http"]["sourceIp"], event["rawPath"]
        stage = f"/{context['stage']}" if path.startswith(f"/{context['stage']}/") else ""
        path = path.removeprefix(stage)
    else:
        source, path = context["identity"]["sourceIp"], event["path"]
        stage = context["path"].removesuffix(path)
    behind_cdn = any(name.lower() == "x-amz-cf-id" for name in event["headers"] or {})
    return {
        "REMOTE_ADDR": source,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),  # WSGI's way to write bytes
        "SCRIPT_NAME": "" if behind_cdn else stage,
    }


handler = make_lambda_handler(application)


def warm_up() -> None:
    """Load what requests need, by making some: PRIME lists whether ``tokens`` and ``search`` are among it.

    A product that is not there is asked for, which also opens the connection to DynamoDB. An engine that is away at
    that moment is away only for this.
    """
    wanted = text_list("PRIME", "tokens")
    send_get("/v1.0/products/primed", {}, {})
    if "tokens" in wanted:
        with (
            nullcontext() if settings.JWKS_URL else hidden_module("cryptography")
        ):  # our own tokens are signed with hashes
            send_get("/v1.0/products/primed", {}, {"Authorization": "Bearer primed"})
    if "search" in wanted:
        send_get("/v1.0/products", {"q": "primed"}, {})


def send_get(path: str, query: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
    """What ``handler`` answers to a GET."""
    context = {"path": path, "identity": {"sourceIp": "127.0.0.1"}}
    event = {
        "path": path,
        "httpMethod": "GET",
        "headers": {"Host": "localhost"} | headers,
        "queryStringParameters": query,
    }
    return handler({**event, "requestContext": context}, None)


catalogue()
warm_up()
gc.freeze()
gc.enable()
