"""Find the texts that are marked for translation in Python, in templates and in scripts."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_python
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

from deploy.local.engines import ROOT

type Keywords = dict[str, Any]

FRAMEWORKS = ROOT / "products" / "locale" / "frameworks.pot"
"""Texts of Django, of the theme and of other libraries that our pages show."""
PYTHON = ("bbws_products/**/*.py", "products/**/*.py")
TEMPLATES = ("templates/**/*.html", "templates/**/*.txt")
SCRIPTS = ("products/static/products/*.js",)
GENERATED = re.compile(r"/texts\.[a-z-]+\.js$")

ONE, PLURAL, CONTEXT, CONTEXT_PLURAL = None, (1, 2), ((1, "c"), 2), ((1, "c"), 2, 3)
IN_PYTHON: Keywords = {
    "_": ONE,
    "gettext": ONE,
    "gettext_lazy": ONE,
    "gettext_noop": ONE,
    "ngettext": PLURAL,
    "ngettext_lazy": PLURAL,
    "pgettext": CONTEXT,
    "pgettext_lazy": CONTEXT,
    "npgettext": CONTEXT_PLURAL,
}
OPTIONS = {"parse_template_string": True}  # of scripts
IN_SCRIPTS: Keywords = {"translate": ONE, "translatePlural": PLURAL}


def extracted() -> Catalog:
    """Return the texts of all sources, sorted, each with the files that it is in."""
    catalog = Catalog()
    for path, message, context in _messages():
        catalog.add(message, locations=[(path, 0)], context=context)
    for listed in read_po(BytesIO(FRAMEWORKS.read_bytes())):
        if listed.id and listed.id not in catalog:
            place = (FRAMEWORKS.relative_to(ROOT).as_posix(), 0)
            catalog.add(listed.id, locations=[place], context=listed.context)
    return catalog


def script_messages() -> set[str]:
    """Return the texts of the scripts. Of a text with a plural it is the singular."""
    found = (message for _, message, _ in _from_files(SCRIPTS, "javascript", IN_SCRIPTS))
    return {message if isinstance(message, str) else message[0] for message in found}


def _messages() -> Iterator[tuple[str, Any, str | None]]:
    yield from _from_files(PYTHON, "python", IN_PYTHON)
    yield from _from_files(TEMPLATES, _extract_template, IN_PYTHON)
    yield from _from_files(SCRIPTS, "javascript", IN_SCRIPTS)


def _from_files(
    patterns: tuple[str, ...], method: Any, keywords: Keywords
) -> Iterator[tuple[str, Any, str | None]]:
    """Yield the file, the text (both forms of a plural) and the context of each message."""
    for path in _files(patterns):
        name = path.relative_to(ROOT).as_posix()
        source = BytesIO(path.read_bytes())
        for _, message, _, context in extract(method, source, keywords, options=OPTIONS):
            yield name, message, context


def _files(patterns: tuple[str, ...]) -> list[Path]:
    paths = {path for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(path for path in paths if not GENERATED.search(path.as_posix()))


def _extract_template(fileobj: Any, keywords: Any, comments: Any, options: Any) -> Iterator[Any]:
    """Extract from a Django template, which Django rewrites as calls of gettext."""
    source = templatize(fileobj.read().decode())
    lines = (line.lstrip() for line in source.splitlines())  # their indentation means nothing
    python = BytesIO("\n".join(lines).encode())
    return iter(extract_python(python, keywords, comments, options))
