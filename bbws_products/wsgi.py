"""The WSGI application: the microcache in front of Django.

``bbws_products.asgi`` runs it in its threads, and Zappa on Lambda.
"""

import os
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from bbws_products.request_charset import use_utf8
from bbws_products.request_log import log_cached_response
from products.api.microcache import Microcache

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.full")
microcache = Microcache(get_wsgi_application(), settings.HOT_ANSWER_SECONDS, log_cached_response)


def application(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    """Answer the request.

    Django takes a body without a length for an empty one, so such a request is refused here. Our
    own server has received the body by now, and knows its length.
    """
    if "HTTP_TRANSFER_ENCODING" in environ and not environ.get("CONTENT_LENGTH"):
        status = HTTPStatus.LENGTH_REQUIRED
        start(f"{status.value} {status.phrase}", [("Content-Length", "0")])
        return [b""]
    use_utf8(environ)
    return microcache(environ, start)
