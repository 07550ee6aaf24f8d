"""Find the texts of templates and pages that are not marked for translation."""

import re
from html.parser import HTMLParser

SHOWN_ATTRIBUTES = {"alt", "aria-label", "placeholder", "title", "data-label", "label"}
SHOWN_ATTRIBUTES |= {"data-title", "data-order", "data-description"}  # shown by scripts
MARKED = re.compile(
    r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}|{%\s*comment.*?endcomment\s*%}",
    re.DOTALL,
)
TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
LETTERS = re.compile(r"[^\W\d_]{2}")
BRAND = "BBWS products"
ICONS = "material-symbols-outlined"
SILENT_TAGS = {"script", "style", "code", "kbd", "textarea", "pre"}


class Texts(HTMLParser):
    """Collect the texts that a reader of the page sees or hears."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        is_icon = ICONS in (values.get("class") or "")
        if tag in SILENT_TAGS or is_icon or self.silent:
            self.silent.append(tag)
        self.found += [values[name] or "" for name in SHOWN_ATTRIBUTES & values.keys()]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.silent:
            del self.silent[self.silent.index(tag) :]

    def handle_data(self, text: str) -> None:
        if not self.silent:
            self.found.append(text)


def unmarked_texts(template: str) -> list[str]:
    """Return the texts of a template that stand outside of every tag for translation."""
    parser = Texts()
    with_tag_names = template.replace("<{%", "<tag {%")  # a tag that depends on a condition
    parser.feed(TAG.sub("\N{NO-BREAK SPACE}", MARKED.sub("", with_tag_names)))
    parser.close()
    return [text.strip() for text in parser.found if LETTERS.search(text.replace(BRAND, ""))]
