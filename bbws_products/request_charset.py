"""Requests are in UTF-8, whichever charset they name, and are not compressed.

Django decodes a request's address with the charset of its Content-Type, before any of our code
could answer a fault. Python also has codecs that are no charsets, such as ``zlib``, and others that
make another address of the same bytes: its response would be cached for all.
"""

import re
from collections.abc import MutableMapping
from typing import Any

UTF8 = {"utf-8", "utf8", "us-ascii", "ascii"}
CHARSET = re.compile(r";\s*charset\s*=\s*([^;]*)", re.IGNORECASE)
FORM = re.compile(r"\s*(application/x-www-form-urlencoded|multipart/form-data)\b", re.IGNORECASE)
MAX_LENGTH = 500
"""Each of a type's parameters is parsed, and nobody needs many."""
EXTENDED = "*"
"""The sign of RFC 2231's parameters (``charset*=…``): none is usual here, but Python reads them."""
UNREAD = "application/octet-stream"
"""A form of this type has no entries, and no CSRF token: it is refused. So is JSON, with a 415."""
NO_CODING = {"", "identity"}


def use_utf8(environ: MutableMapping[str, Any]) -> None:
    """Remove the charset from a WSGI environment. A form in another charset is no form then.

    A body with a ``Content-Encoding``, such as gzip, is of no type that is read either.
    """
    given = environ.get("CONTENT_TYPE", "")
    coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if len(given) > MAX_LENGTH or EXTENDED in given or coding not in NO_CODING:
        environ["CONTENT_TYPE"] = UNREAD
        return
    found = CHARSET.search(given)
    if found is None:
        return
    is_utf8 = found[1].strip().strip("\"'").lower() in UTF8
    kept = CHARSET.sub("", given)
    environ["CONTENT_TYPE"] = UNREAD if FORM.match(given) and not is_utf8 else kept
