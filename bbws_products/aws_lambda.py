"""The Lambda handler of the API: convert API Gateway events to WSGI requests.

All set-up happens at import. Lambda gives a small function a whole processor while it starts, but
only a seventh of one for each request.
"""

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIEnvironment

# Imported modules are never collected; scanning them would take an eighth of the start.
gc.disable()

from apig_wsgi import make_lambda_handler
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from bbws_products.request_charset import use_utf8
from bbws_products.settings.environment import text_list
from products.api.late_views import load_late_views
from products.bootstrap import acceptance, catalogue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.api")


@contextmanager
def hidden_module(library: str) -> Iterator[None]:
    """Make this optional import fail inside the block, unless it is already loaded."""
    if library in sys.modules:
        yield
        return
    sys.modules[library] = None  # type: ignore[assignment] # Python's way to block an import
    try:
        yield
    finally:
        del sys.modules[library]


# DRF imports requests only for its test client, and requests would load urllib3.
with hidden_module("requests"):
    import rest_framework.compat  # noqa: F401

django_application = get_wsgi_application()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Call Django with an environ corrected by what only API Gateway's event contains."""
    event = environ["apig_wsgi.full_event"]
    environ.update(corrections(event))
    use_utf8(environ)
    environ.setdefault("HTTP_X_REQUEST_ID", event["requestContext"].get("requestId", ""))
    environ.setdefault("HTTP_X_FORWARDED_PROTO", "https")  # API Gateway serves HTTPS only
    body = django_application(environ, start_response)
    if environ["REQUEST_METHOD"] == "HEAD":
        return []  # web servers drop the body of a HEAD response; API Gateway would send it
    return body


def corrections(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the client's address, and the path without API Gateway's stage.

    The adapter reads the address from the start of X-Forwarded-For, which a client can forge.
    Links contain the stage only when the client called API Gateway directly: CloudFront adds the
    stage to the path of each request it forwards.
    """
    context = event["requestContext"]
    if "http" in context:
        source, path = context["http"]["sourceIp"], event["rawPath"]
        stage = f"/{context['stage']}" if path.startswith(f"/{context['stage']}/") else ""
        path = path.removeprefix(stage)
    else:
        source, path = context["identity"]["sourceIp"], event["path"]
        stage = context["path"].removesuffix(path)
    is_behind_cdn = any(name.lower() == "x-amz-cf-id" for name in event["headers"] or {})
    return {
        "REMOTE_ADDR": source,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),  # PEP 3333: bytes as Latin-1
        "SCRIPT_NAME": "" if is_behind_cdn else stage,
    }


handler = make_lambda_handler(application)


def warm_up() -> None:
    """Load the code that requests need by sending a few requests.

    The variable PRIME lists what to load besides a public read: ``tokens``, ``search``, and
    ``bulk`` for the views of jobs, imports and plans. The requests read a product that does not
    exist, which also opens the connection to DynamoDB. A dependency that is unavailable now does
    not fail the start.
    """
    wanted = text_list("PRIME", "tokens")
    send_get("/v1.0/products/primed", {}, {})
    if "tokens" in wanted:
        # Our own tokens are signed with HMAC; only an external issuer's need cryptography.
        imports = nullcontext() if settings.JWKS_URL else hidden_module("cryptography")
        with imports:
            send_get("/v1.0/products/primed", {}, {"Authorization": "Bearer primed"})
    if "search" in wanted:
        send_get("/v1.0/products", {"q": "primed"}, {})
    if "bulk" in wanted:
        load_late_views()


def send_get(path: str, query: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
    """Send a GET request to ``handler`` and return its response."""
    context = {"path": path, "identity": {"sourceIp": "127.0.0.1"}}
    event = {
        "path": path,
        "httpMethod": "GET",
        "headers": {"Host": "localhost"} | headers,
        "queryStringParameters": query,
    }
    return handler({**event, "requestContext": context}, None)


catalogue()
acceptance()
warm_up()
gc.freeze()
gc.enable()
