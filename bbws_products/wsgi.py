"""What the web server (``bbws_products.server``) serves."""

import os
from collections import deque
from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any
from wsgiref.types import StartResponse

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from bbws_products.request_log import log_cached_response
from products.api.microcache import Microcache

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.full")
PART, MAX_CHUNKS = 65_536, 256
microcache = Microcache(get_wsgi_application(), settings.HOT_ANSWER_SECONDS, log_cached_response)


def application(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    """Answers, and takes in what of the body nobody wanted - a refusal needs none of it.

    The server closes a connection on which something is left, while the client may be asking the next thing; so it
    does after 16 MB, which is more than any of ours may send.
    """
    answer = microcache(environ, start)
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        left = iter(partial(environ["wsgi.input"].read, PART), b"")
        deque(islice(left, MAX_CHUNKS), maxlen=0)
    return answer
