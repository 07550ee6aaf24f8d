"""Reading an imported file of any format: CSV, Excel, or an OpenDocument sheet. Pure."""

from products.bulk.columns import recognised_columns
from products.bulk.csv_reading import read_csv
from products.bulk.sheets import Sheet, refused_file
from products.bulk.tables import HEAD, WHOLE, Part
from products.errors import Invalid

MAX_SIZE = 5_000_000  # bytes
ZIP_START = b"PK\x03\x04"
OLE_START = b"\xd0\xcf\x11\xe0"
"""How files of Excel 97 to 2003 begin, and encrypted workbooks of all versions."""
EXTENSIONS = (".csv", ".tsv", ".txt", ".xlsx", ".ods")


def too_large_file() -> Invalid:
    """Return the refusal of a file that is larger than MAX_SIZE."""
    return refused_file(f"Must have at most {MAX_SIZE // 1_000_000} MB.")


def read_head(data: bytes) -> Sheet:
    """Return the first rows of the sheet, however long the file is, to show its columns.

    Raise Invalid when the file is too large or its beginning is no table.
    """
    return read_sheet(data, HEAD)


def read_sheet(data: bytes, part: Part = WHOLE) -> Sheet:
    """Return the sheet in the file; its content says which format it has.

    Raise Invalid when the file is too large, has too many rows, or is no table.
    """
    if len(data) > MAX_SIZE:
        raise too_large_file()
    if data.startswith(OLE_START):
        raise refused_file(
            "This workbook is in the old .xls format or has a password; save it as .xlsx without "
            "a password."
        )
    if not data.startswith(ZIP_START):
        return read_csv(data, recognised_columns, None if part == WHOLE else part.max_rows)
    # The libraries that read workbooks are loaded only where they are needed.
    from products.bulk.workbooks import read_workbook

    return read_workbook(data, recognised_columns, part)
