"""The parts of an .xlsx file besides its sheets: their list, shared texts, formats. Pure."""

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from products.bulk.xml_reading import Budget, Element, XmlStream

BOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
PHONETIC = "rPh"
"""How a text is spoken, which is no part of it."""
ESCAPE = "x005F_"
ELLIPSIS = "…"
MAX_FORMAT_LENGTH = 255  # characters, as in Excel


@dataclass(slots=True)
class Book:
    """The visible sheets with their titles, and where the other parts are."""

    sheets: list[tuple[str, str]] = field(default_factory=list)
    texts: str = ""
    styles: str = ""
    epoch: datetime = WINDOWS_EPOCH


def read_book(archive: zipfile.ZipFile, budget: Budget) -> Book:
    """Return what the workbook consists of. Raise Invalid when it is damaged."""
    targets = _Targets(set(archive.namelist()))
    for _ in XmlStream(targets.add).read(archive, RELATIONS, budget):
        pass
    book = Book(texts=targets.part_of_kind("sharedStrings"), styles=targets.part_of_kind("styles"))

    def element(found: Element) -> None:
        given = found.attributes
        if found.name == "workbookPr" and given.get("date1904") in ("1", "true"):
            book.epoch = MAC_EPOCH
        if found.name == "sheet" and given.get("state", "visible") == "visible":
            target = targets.sheets.pop(given.get("id", ""), None)  # once: reading it takes time
            book.sheets += [(given.get("name", ""), target)] if target else []

    for _ in XmlStream(element).read(archive, BOOK, budget):
        pass
    return book


@dataclass(slots=True)
class _Targets:
    """The parts that exist, by the ids that the workbook has for them, and by their kinds."""

    names: set[str]
    sheets: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)

    def add(self, element: Element) -> None:
        """Take an element of the part with the relations."""
        given = element.attributes
        path = posixpath.normpath(posixpath.join("/xl", given.get("Target", ""))).lstrip("/")
        kind = given.get("Type", "").rpartition("/")[2]
        if element.name != "Relationship" or path not in self.names:
            return
        if kind == "worksheet":
            self.sheets[given.get("Id", "")] = path
        else:
            self.others[kind] = path

    def part_of_kind(self, kind: str) -> str:
        return self.others.get(kind, "")


@dataclass(slots=True)
class Formats:
    """Which styles of cells show a number as a time, and which of these as a duration."""

    codes: dict[int, str] = field(default_factory=dict)
    of_style: list[int] = field(default_factory=list)
    is_in_styles: bool = False

    def start(self, element: Element) -> None:
        """Take an element of the part with the styles."""
        given = element.attributes
        if element.name == "numFmt":
            self.codes[int(given.get("numFmtId", 0))] = given.get("formatCode", "")
        elif element.name == "cellXfs":
            self.is_in_styles = True
        elif element.name == "xf" and self.is_in_styles:
            self.of_style.append(int(given.get("numFmtId", 0)))

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "cellXfs":
            self.is_in_styles = False

    def times(self) -> dict[int, bool]:
        """Return the styles of times; the value says whether it is a duration.

        A format is examined once, because thousands of styles can name the same long one.
        """
        codes = {number: self._code(number) for number in set(self.of_style)}
        durations = {
            number: is_timedelta_format(code)
            for number, code in codes.items()
            if len(code) <= MAX_FORMAT_LENGTH and is_date_format(code)
        }
        numbers = enumerate(self.of_style)
        return {style: durations[number] for style, number in numbers if number in durations}

    def _code(self, number: int) -> str:
        return self.codes.get(number) or BUILTIN_FORMATS.get(number, "")


def read_formats(archive: zipfile.ZipFile, book: Book, budget: Budget) -> dict[int, bool]:
    """Return the styles of times; the value says whether it is a duration."""
    formats = Formats()
    if book.styles:
        for _ in XmlStream(formats.start, formats.end).read(archive, book.styles, budget):
            pass
    return formats.times()


class SharedTexts:
    """The texts that cells name by number. They are read as far as a cell needs them."""

    def __init__(self, archive: zipfile.ZipFile, book: Book, budget: Budget) -> None:
        self.texts: list[str] = []
        self.parts: list[str] = []
        self.open: list[str] = []
        self.budget = budget
        stream = XmlStream(self._start, self._end, self._text)
        self.reading: Iterator[None] = (
            stream.read(archive, book.texts, budget) if book.texts else iter(())
        )

    def __getitem__(self, number: int) -> str:
        """Return the text; an ellipsis where the budget ends before it.

        Raises: IndexError for a text that does not exist.
        """
        if number < 0:
            raise IndexError(number)
        while number >= len(self.texts):
            if next(self.reading, self) is self:
                break
        if number >= len(self.texts) and self.budget.is_spent:
            return ELLIPSIS
        return self.texts[number]

    def _start(self, element: Element) -> None:
        self.open.append(element.name)

    def _end(self, name: str) -> None:
        self.open.pop()
        if name == "si":
            self.texts.append("".join(self.parts).replace(ESCAPE, ""))
            self.parts.clear()

    def _text(self, text: str) -> None:
        if self.open and self.open[-1] == "t" and PHONETIC not in self.open:
            self.parts.append(text)
