"""Unicode normalisation whose work grows with the length of the text. Pure.

Python sorts the marks behind one letter pair by pair: 100,000 of them take a minute.
"""

import unicodedata
from typing import Literal

type Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

PIECE = 1000  # characters; no field may be so long


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
