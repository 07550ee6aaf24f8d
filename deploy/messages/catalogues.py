"""Write the catalogue of each language, and its compiled forms, from the sources."""

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from deploy.local.engines import ROOT
from deploy.messages.extraction import extracted, script_messages

LANGUAGES = ("af",)
LOCALES = ROOT / "products" / "locale"
STATIC = ROOT / "products" / "static" / "products"
TEXTS = STATIC / "texts.js"
UNCHANGED_DATE = datetime(2026, 11, 30, tzinfo=UTC)
"""A date in the files would make two people's catalogues differ."""


def po_path(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "django.po"


def translated(language: str) -> Catalog:
    """Return the catalogue: the texts of the sources, with the translations of its file."""
    path = po_path(language)
    old = BytesIO(path.read_bytes() if path.exists() else b"")
    catalog = read_po(old, locale=language, abort_invalid=True)
    catalog.header_comment = f"# The texts of the admin in {catalog.locale_identifier}."
    catalog.project, catalog.version, catalog.fuzzy = "bbws-products", "0", False
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = "BBWS"
    catalog.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.creation_date = catalog.revision_date = UNCHANGED_DATE
    return catalog


def is_translated(message: Message) -> bool:
    """Return whether the text, or each of its plurals, has a translation."""
    text = message.string
    return bool(text) and (isinstance(text, str) or all(text or ()))


def files_of(language: str) -> dict[Path, bytes]:
    """Return the content of the language's files: the catalogue, and what is compiled from it."""
    catalog = translated(language)
    po, mo = BytesIO(), BytesIO()
    write_po(po, catalog, width=100, include_lineno=False, sort_output=True, ignore_obsolete=True)
    write_mo(mo, catalog)
    path = po_path(language)
    return {
        path: po.getvalue(),
        path.with_suffix(".mo"): mo.getvalue(),
        STATIC / f"texts.{language}.js": _script(catalog).encode(),
    }


def _script(catalog: Catalog) -> str:
    """Return the script with the texts of the scripts, and with what looks them up."""
    texts = {
        singular: catalog[singular].string
        for singular in sorted(script_messages())
        if is_translated(catalog[singular])
    }
    data = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
    return f"/* `make messages` writes this. */\nwindow.translations = {data};\n{TEXTS.read_text()}"
