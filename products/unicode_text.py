"""Unicode: characters that nobody sees, and normalisation whose work grows with the text. Pure.

Python sorts the marks behind one letter pair by pair: 100,000 of them take a minute.
"""

import re
import unicodedata
from typing import Literal

type Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

PIECE = 1000  # characters; no field may be so long
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidirectional control characters, which are used to spoof text."""
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\ufff0-\ufff8\ufffc\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
"""Characters without a shape that are no format characters: fillers, variation selectors, and those
that Unicode reserves to be ignored."""


def normalized(form: Form, text: str) -> str:
    """Return the text in this form. A long text is normalised in pieces."""
    if len(text) <= PIECE or text.isascii():
        return unicodedata.normalize(form, text)
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = _end_of_piece(text, start)
        pieces.append(unicodedata.normalize(form, text[start:end]))
        start = end
    return "".join(pieces)


def _end_of_piece(text: str, start: int) -> int:
    """Return where a piece ends: in front of an ASCII character, which no mark before changes."""
    end = start + PIECE
    if end >= len(text):
        return len(text)
    return next((at for at in range(end, start, -1) if text[at].isascii()), end)


def is_invisible(character: str) -> bool:
    """Whether the character has no shape of its own."""
    return unicodedata.category(character) == "Cf" or bool(INVISIBLE.fullmatch(character))


def is_forbidden(character: str, allowed_controls: str) -> bool:
    """Whether the character controls the text or is none, except for these controls."""
    if character in BIDI_CONTROLS:
        return True
    is_control = unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
    is_no_character = ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"
    return is_no_character or (is_control and character not in allowed_controls)
