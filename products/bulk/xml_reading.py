"""Reading a part of a workbook's XML as a stream, of which nothing is kept. Pure."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

from products.bulk.sheets import refused_file
from products.bulk.tables import DAMAGED, HEAD, Part
from products.bulk.zip_files import ZIP_ERRORS

MAX_DEPTH = 100  # elements in each other; each open one takes memory


@dataclass(slots=True)
class Budget:
    """How many bytes of XML are read, and in which pieces; ``is_spent`` says that there was more.

    A long name or value is read again with each piece that ends in it, so large ones are best
    where much is read.
    """

    left: int
    piece: int
    is_spent: bool = False

    @classmethod
    def of(cls, part: Part) -> "Budget":
        """Return the budget for one part of a workbook."""
        return cls(part.max_bytes, part.piece)

    def take(self, content: IO[bytes]) -> bytes:
        """Return the next bytes; none at the end, or when the budget is spent."""
        if self.left <= 0:
            self.is_spent = True
            return b""
        chunk = content.read(min(self.piece, self.left))
        self.left -= len(chunk)
        return chunk


@dataclass(slots=True)
class Element:
    """The start of an element: its name without a namespace, and its attributes."""

    name: str
    attributes: Mapping[str, str]


@dataclass(slots=True)
class XmlStream:
    """Calls the functions for each element of a part, in the order of the document."""

    start: Callable[[Element], None]
    end: Callable[[str], None] = lambda _: None
    text: Callable[[str], None] = lambda _: None
    depth: int = 0
    parser: expat.XMLParserType = field(init=False)

    def __post_init__(self) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self.text
        self.parser = parser

    def read(self, archive: zipfile.ZipFile, part: str, budget: Budget) -> Iterator[None]:
        """Read the part, and yield after each piece of it.

        Raise Invalid for a damaged part, or one with a document type: only that declares entities.
        """
        try:
            with archive.open(part) as content:
                while chunk := budget.take(content):
                    self.parser.Parse(chunk, False)
                    yield
            if not budget.is_spent:
                self.parser.Parse(b"", True)
        except (*ZIP_ERRORS, expat.ExpatError, LookupError):  # LookupError: an unknown encoding
            raise refused_file(DAMAGED) from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise refused_file(DAMAGED)
        self.start(Element(_local(name), {_local(key): attributes[key] for key in attributes}))

    def _end(self, name: str) -> None:
        self.depth -= 1
        self.end(_local(name))


def refuse_document_type(archive: zipfile.ZipFile, part: str) -> None:
    """Raise Invalid for a part with a document type, which comes before the first element."""
    begun: list[Element] = []
    for _ in XmlStream(begun.append).read(archive, part, Budget.of(HEAD)):
        if begun:
            return
    raise refused_file(DAMAGED)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse_document_type(*_: object) -> None:
    raise refused_file(DAMAGED)
