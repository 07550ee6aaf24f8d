"""The character encoding of an imported file. Pure.

A file that is not in Unicode is read as Windows-1252 or Mac Roman when only one of them makes
words of it.
"""

import codecs
import unicodedata

from products.bulk.sheets import refused_file

UNICODE_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BYTE_ORDER_MARK = "\ufeff"
SAVE_AS_UTF8 = "Its letters can't be read; in a spreadsheet, save it as “CSV UTF-8”."
LEGACY = {"cp1252": "Windows-1252", "mac_roman": "Mac Roman"}
SAMPLE_LENGTH = 24
SEPARATORS = '\n\r,;\t|"'
MAX_SCANNED = 200_000  # characters
MIN_LEAD = 0.5
"""By how much the better encoding must lead, as a share of the characters that are not ASCII."""


def decode(data: bytes) -> tuple[str, list[str]]:
    """Return the text of the file, and sentences about an encoding that is not Unicode.

    Raise Invalid when the encoding can't be known.
    """
    for mark, encoding in UNICODE_MARKS:
        if data.startswith(mark):
            return _decoded(data, encoding), []
    if b"\0" in data:
        return _decoded(data, _utf16_without_mark(data)), []
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError:
        return _decode_legacy(data)


def _decoded(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise refused_file(SAVE_AS_UTF8) from None
    if "\0" in text:
        raise refused_file("This is not a CSV file.")
    return text.lstrip(BYTE_ORDER_MARK)


def _utf16_without_mark(data: bytes) -> str:
    """Return which UTF-16 it is: most characters are ASCII, so every second byte is zero."""
    even, odd = data[::2].count(0), data[1::2].count(0)
    if len(data) % 2 or max(even, odd) < len(data) // 4:
        raise refused_file("This is not a CSV file.")
    return "utf-16-le" if odd > even else "utf-16-be"


def _decode_legacy(data: bytes) -> tuple[str, list[str]]:
    scores: dict[str, float] = {}
    for encoding in LEGACY:
        try:
            scores[encoding] = _plausibility(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    ranked = sorted(scores, key=lambda encoding: scores[encoding], reverse=True)
    if not ranked or scores[ranked[0]] <= 0:
        raise refused_file(SAVE_AS_UTF8)
    best = ranked[0]
    if len(ranked) > 1 and scores[best] - scores[ranked[1]] < MIN_LEAD:
        raise refused_file(SAVE_AS_UTF8)
    text = data.decode(best)
    return text, [f"Read as {LEGACY[best]}, for example “{_sample(text)}”."]


def _sample(text: str) -> str:
    first = next(at for at, character in enumerate(text) if not character.isascii())
    start = max(text.rfind(separator, 0, first) for separator in SEPARATORS) + 1
    return text[max(start, first - SAMPLE_LENGTH) : first + SAMPLE_LENGTH].splitlines()[0].strip()


def _plausibility(text: str) -> float:
    """Return from -1 to 1 how well the characters that are not ASCII fit their neighbours."""
    padded = f" {text[:MAX_SCANNED]} "
    fits = [
        _fits(padded[at - 1], padded[at], padded[at + 1])
        for at in range(1, len(padded) - 1)
        if not padded[at].isascii()
    ]
    plain_letters = sum(character.isascii() and character.isalpha() for character in padded)
    if not fits or len(fits) > plain_letters:  # such as Cyrillic, which is in neither
        return 0
    return sum(fits) / len(fits)


def _fits(before: str, character: str, after: str) -> int:
    """Return 1 for a character that people write between these two, else -1."""
    is_inside = before.isalpha() and after.isalpha()
    if character in "’‘":
        return 1
    if character.islower():
        return 1 if before.isalpha() or after.isalpha() else -1
    if character.isupper():
        return 1 if before.isupper() or (not before.isalpha() and after.isalpha()) else -1
    is_control = unicodedata.category(character) == "Cc"
    is_usual = character in "\xa0€£–—“”„«»…•°²³½®™©§·¥"
    return 1 if is_usual and not is_inside and not is_control else -1
