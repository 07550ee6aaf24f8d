"""A language made of markers: each translated text is put between two brackets, with a number.

What a page shows outside of the brackets has not been marked for translation.
"""

import re
from gettext import NullTranslations
from typing import Any

from django.utils.translation import trans_real

CODE = "af"
"""The language that the markers replace."""
INNERMOST = re.compile("⟦(\\d+):[^⟦⟧]*⟧")
CUT = re.compile('⟦(\\d+):[^⟦⟧<"]*')
"""A text that was shortened, and has lost its end."""


class PseudoLanguage(NullTranslations):
    """Put each text between brackets, and remember it by its number."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def gettext(self, message: str) -> str:
        self.texts.append(message)
        _, _, text = message.rpartition(trans_real.CONTEXT_SEPARATOR)
        return f"⟦{len(self.texts) - 1}:{text}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.texts.append(msgid1)
        _, _, text = (msgid1 if n == 1 else msgid2).rpartition(trans_real.CONTEXT_SEPARATOR)
        return f"⟦{len(self.texts) - 1}:{text}⟧"

    def language(self) -> str:
        return CODE

    to_language = language

    def split(self, page: str) -> tuple[set[str], str]:
        """Return the marked texts of the page, and the page without them."""
        shown: set[str] = set()

        def take(match: re.Match[str]) -> str:
            shown.add(self.texts[int(match[1])])
            return ""

        count = 1
        while count:
            page, count = INNERMOST.subn(take, page)
        return shown, CUT.sub(take, page)


def is_translated(message: str, translation: Any) -> bool:
    """Return whether the language has this text, or this singular."""
    catalog = translation._catalog  # Django has no other way to ask
    return catalog.get(message) is not None or catalog.get((message, 0)) is not None
