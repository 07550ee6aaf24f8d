"""Products as an Excel workbook. Pure."""

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell

NUMBER_COLUMNS = ("price", "renewalPrice", "version")


def write_xlsx(rows: Iterable[Sequence[str]], numbers: Sequence[str]) -> bytes:
    """Return a workbook with these rows, the header row first.

    The columns in ``numbers`` hold numbers. All other cells are texts, so no cell is a formula.
    """
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Products")
    sheet.freeze_panes = "A2"
    header: list[str] = []
    for row in rows:
        is_head = not header
        header = header or list(row)
        kinds = ["" if is_head or name not in numbers else "n" for name in header]
        sheet.append([_written_cell(sheet, *pair) for pair in zip(row, kinds, strict=True)])
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def _written_cell(sheet: Any, text: str, kind: str) -> Any:
    if kind and text:
        cell = WriteOnlyCell(sheet, value=Decimal(text))
        places = len(text.partition(".")[2].rstrip("0"))
        cell.number_format = "0.000" if places > 2 else "0.00" if "." in text else "0"
        return cell
    cell = WriteOnlyCell(sheet, value=text or None)
    if text:
        cell.data_type = "s"
    return cell
