"""Reading CSV as spreadsheets and shops write it: delimiters, quotes, lines. Pure."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from products.amounts import DecimalMark
from products.bulk.encodings import decode
from products.bulk.sheets import (
    MAX_COLUMNS,
    MAX_TITLE_LINES,
    Recognised,
    Sheet,
    SheetRow,
    refused_file,
    to_sheet,
)

DELIMITERS = ",;\t|"
SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?[ ,;]*(?:\r\n|\r|\n)", re.IGNORECASE)
"""A first line that names the delimiter, as Excel reads it."""
MAX_SAMPLED = MAX_TITLE_LINES + 5  # rows that are parsed to find the delimiter
FOREIGN_FORMATS = (
    ("{", "This is JSON, not a table; save it as CSV or .xlsx."),
    ("[", "This is JSON, not a table; save it as CSV or .xlsx."),
    ("<", "This is a web page or XML; open it in a spreadsheet and save it as CSV or .xlsx."),
    ("%PDF", "This is a PDF; save the table as CSV or .xlsx."),
)


def read_csv(data: bytes, recognised: Recognised, max_rows: int | None = None) -> Sheet:
    """Parse CSV in any usual encoding and with any usual delimiter; at most ``max_rows`` of it.

    Raise Invalid when it is no CSV, or when a quotation mark is not closed.
    """
    text, notes = decode(data)
    for start, sentence in FOREIGN_FORMATS:
        if text.lstrip().startswith(start):
            raise refused_file(sentence)
    named = SEPARATOR_LINE.match(text)
    body = text[named.end() :] if named else text
    delimiter = named[1] if named else _likely_delimiter(body, recognised)
    first_line = 2 if named else 1
    parsed = _parsed_rows(body, delimiter, first_line)
    rows = list(islice(parsed, max_rows))
    has_more = max_rows is not None and next(parsed, None) is not None
    likely_mark = DecimalMark.COMMA if delimiter == ";" else None
    return to_sheet(rows, recognised, notes=notes, likely_mark=likely_mark, has_more=has_more)


def _likely_delimiter(text: str, recognised: Recognised) -> str:
    """Return the delimiter with which the most columns are recognised, then the most exist."""

    def score(delimiter: str) -> tuple[int, int]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            rows = [row for row in islice(reader, MAX_SAMPLED) if any(row)]
        except csv.Error:
            rows = []
        known = max((recognised(row[:MAX_COLUMNS]) for row in rows), default=0)
        return known, max((len(row) for row in rows), default=0)

    return max(DELIMITERS, key=score)


def _parsed_rows(text: str, delimiter: str, first_line: int) -> Iterator[SheetRow]:
    """Yield the rows with the lines on which they begin."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = first_line
    try:
        for row in reader:
            yield SheetRow(line, list(row))
            line = first_line + reader.line_num
    except csv.Error as fault:
        raise refused_file(_sentence_about(str(fault), line)) from None


def _sentence_about(fault: str, line: int) -> str:
    if "field larger" in fault:
        return f"Line {line} has a cell that is too long."
    return (
        f"In the row that begins in line {line}, a quotation mark is not closed, or one inside "
        "the text is not doubled."
    )
