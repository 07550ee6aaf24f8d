"""Reading workbooks of Excel and LibreOffice within bounds. Pure.

A workbook is a zip of XML. Its sizes are checked before anything is parsed, and XML with entities
is refused.
"""

import io
import zipfile
from collections.abc import Callable, Sequence

from products.bulk.ods_reading import ODS_PART, ods_tables
from products.bulk.sheets import MAX_TITLE_LINES, Sheet, cell_text, refused_file, to_sheet
from products.bulk.tables import DAMAGED, MAX_UNPACKED, TOO_LARGE, WHOLE, Part, Table
from products.bulk.xlsx_reading import xlsx_tables

MAX_RATIO = 200
"""How many times larger a large file in the zip may become; sheets of products reach about 20."""
MIN_SUSPECT = 20_000_000  # bytes; smaller files may have any ratio
MAX_ENTRIES = 1000  # files in the zip
XLSX_PART = "xl/workbook.xml"

type Recognised = Callable[[Sequence[str]], int]


def read_workbook(data: bytes, recognised: Recognised, part: Part = WHOLE) -> Sheet:
    """Return the sheet with products. Raise Invalid when the file can't be read."""
    names = {entry.filename for entry in _checked_entries(data)}
    if XLSX_PART in names:
        return _best_sheet(list(xlsx_tables(data, part)), recognised)
    if ODS_PART in names:
        return _best_sheet(list(ods_tables(data, part)), recognised)
    raise refused_file("This is no workbook; save the sheet as .xlsx, .ods or CSV.")


def unpacked_size(data: bytes) -> int:
    """Return the bytes of all files in the zip. Raise Invalid when it is not safe to unpack."""
    return sum(entry.file_size for entry in _checked_entries(data))


def _best_sheet(tables: Sequence[Table], recognised: Recognised) -> Sheet:
    """Return the table in which the most columns are recognised, else the first with rows."""

    def score(table: Table) -> int:
        head = [[cell_text(cell) for cell in row.cells] for row in table.rows[:MAX_TITLE_LINES]]
        return max(map(recognised, head), default=0)

    filled = [table for table in tables if table.rows]
    if not filled:
        raise refused_file("Must have a header row and at least one product row.")
    best = max(filled, key=score)
    notes = [f"Read from “{best.title}”, one of {len(tables)} sheets."] if len(tables) > 1 else []
    hidden = sum(table.hidden for table in tables)
    if hidden:
        noun = "row is" if hidden == 1 else "rows are"
        notes.append(f"{hidden} hidden {noun} read too.")
    return to_sheet(best.rows, recognised, notes=notes, has_more=best.has_more)


def _checked_entries(data: bytes) -> list[zipfile.ZipInfo]:
    """Return the files in the zip. Raise Invalid when it is not safe to unpack."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError):
        raise refused_file(DAMAGED) from None
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise refused_file(TOO_LARGE)
    for entry in entries:
        if entry.flag_bits & 1:
            raise refused_file("The workbook has a password; save it without one.")
        ratio = entry.file_size / max(entry.compress_size, 1)
        if entry.file_size > MIN_SUSPECT and ratio > MAX_RATIO:
            raise refused_file(TOO_LARGE)
    return entries
