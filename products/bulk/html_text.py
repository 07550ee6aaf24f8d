"""HTML as plain text: other shops describe their products in HTML. Pure."""

import html
import json
import re
from html.parser import HTMLParser

TAG = re.compile(
    r"</?(?:p|br|b|i|u|a|em|strong|span|div|h[1-6]|ul|ol|li|table|t[rdh]|img|hr)\b[^<>]*>",
    re.IGNORECASE,
)
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}[0-9]?);", re.IGNORECASE)
MAX_MARKUP = 10_000  # characters
STRAY = re.compile(r"<(?=[!?]|[^<>]*(?:<|\Z))")
"""What opens no element. The parser needs quadratic time for many unclosed tags."""
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
LINE_BREAKING = HEADINGS | {"br", "p", "div", "li", "tr", "ul", "ol", "table", "hr"}
HIDDEN = {"script", "style", "head", "title"}
BULLET = "• "


class _TextCollector(HTMLParser):
    """Collects the visible text; block elements become lines, list entries get a bullet."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in HIDDEN
        if tag in LINE_BREAKING:
            self.parts.append("\n")
        if tag == "li":
            self.parts.append(BULLET)

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in HIDDEN and self.hidden > 0
        if tag in LINE_BREAKING - {"br"}:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(re.sub(r"\s+", " ", data))


def is_markup(text: str) -> bool:
    """Return whether the text contains HTML, or is JSON of an editor.

    Texts above MAX_MARKUP are left as they are: no field may be so long, and parsing them is slow.
    """
    if len(text) > MAX_MARKUP:
        return False
    return bool(TAG.search(text) or ENTITY.search(text)) or _is_editor_js(text)


def plain_text(markup: str) -> str:
    """Return the visible text of the markup."""
    if _is_editor_js(markup):
        markup = _from_editor_js(markup)
    if not TAG.search(markup):
        markup = html.unescape(markup)
        if not _has_blocks(markup):  # OpenCart writes even the tags as entities
            return markup.strip()
    markup = STRAY.sub(" ", _without_comments(markup))
    collector = _TextCollector()
    # Without block elements, line breaks of the source are meant as such.
    collector.feed(markup if _has_blocks(markup) else markup.replace("\n", "<br>"))
    collector.close()
    lines = [line.strip() for line in "".join(collector.parts).split("\n")]
    return "\n".join(line for line in lines if line and line != BULLET.strip())


def _without_comments(markup: str) -> str:
    """Return the markup without comments. The parser needs quadratic time for unclosed ones."""
    kept: list[str] = []
    start = 0
    while (begin := markup.find("<!--", start)) >= 0:
        kept.append(markup[start:begin])
        end = markup.find("-->", begin)
        if end < 0:
            return "".join(kept)
        start = end + len("-->")
    return "".join([*kept, markup[start:]])


def _has_blocks(markup: str) -> bool:
    tags = (match[0].strip("</>").split()[0].lower() for match in TAG.finditer(markup))
    return any(tag in LINE_BREAKING for tag in tags)


def _is_editor_js(text: str) -> bool:
    return text.startswith("{") and '"blocks"' in text


def _from_editor_js(text: str) -> str:
    """Return the texts in the JSON that Saleor writes for a description."""
    try:
        blocks = json.loads(text)["blocks"]
        return "\n".join(str(block["data"].get("text", "")) for block in blocks)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return text
