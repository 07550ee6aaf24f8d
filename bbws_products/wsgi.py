"""The WSGI application that ``bbws_products.server`` serves."""

import os
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from bbws_products.request_log import log_cached_response
from products.api.microcache import Microcache

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.full")
CHUNK_BYTES = 65_536
MAX_CHUNKS = 256  # 16 MB, more than any client of ours may send
microcache = Microcache(get_wsgi_application(), settings.HOT_ANSWER_SECONDS, log_cached_response)


def application(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    """Answer the request, then read what is left of its body.

    A refusal is often sent before the body is read. The server closes a connection with unread
    data, although the client may already be sending its next request.
    """
    response = microcache(environ, start)
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        for _ in range(MAX_CHUNKS):
            if not environ["wsgi.input"].read(CHUNK_BYTES):
                break
    return response
