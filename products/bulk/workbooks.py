"""Reading workbooks of Excel and LibreOffice within bounds. Pure.

A workbook is a zip of XML. Its sizes are checked before anything is parsed, and XML with entities
is refused.
"""

from collections.abc import Sequence

from products.bulk.ods_reading import ODS_PART, ods_tables
from products.bulk.sheets import (
    MAX_TITLE_LINES,
    Recognised,
    Sheet,
    cell_text,
    refused_file,
    to_sheet,
)
from products.bulk.tables import WHOLE, Part, Table
from products.bulk.xlsx_reading import xlsx_tables
from products.bulk.zip_files import checked_entries

XLSX_PART = "xl/workbook.xml"


def read_workbook(data: bytes, recognised: Recognised, part: Part = WHOLE) -> Sheet:
    """Return the sheet with products. Raise Invalid when the file can't be read."""
    names = {entry.filename for entry in checked_entries(data)}
    if XLSX_PART in names:
        return _best_sheet(list(xlsx_tables(data, part)), recognised)
    if ODS_PART in names:
        return _best_sheet(list(ods_tables(data, part)), recognised)
    raise refused_file("This is no workbook; save the sheet as .xlsx, .ods or CSV.")


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
