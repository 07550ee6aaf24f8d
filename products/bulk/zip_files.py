"""The zip that a workbook is: whether it is safe to unpack. Pure."""

import io
import zipfile
import zlib

from products.bulk.sheets import refused_file
from products.bulk.tables import DAMAGED, MAX_UNPACKED, TOO_LARGE

ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    OSError,
    KeyError,
    ValueError,
)
"""What a damaged zip raises."""
MAX_RATIO = 200
"""How many times larger a large file in the zip may become; sheets of products reach about 20."""
MIN_SUSPECT = 20_000_000  # bytes; smaller files may have any ratio
MAX_ENTRIES = 1000  # files in the zip
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""The compression methods that both formats allow."""


def unpacked_size(data: bytes) -> int:
    """Return the bytes of all files in the zip. Raise Invalid when it is not safe to unpack."""
    return sum(entry.file_size for entry in checked_entries(data))


def checked_entries(data: bytes) -> list[zipfile.ZipInfo]:
    """Return the files in the zip. Raise Invalid when it is not safe to unpack."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except ZIP_ERRORS:
        raise refused_file(DAMAGED) from None
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise refused_file(TOO_LARGE)
    for entry in entries:
        if entry.flag_bits & 1:
            raise refused_file("The workbook has a password; save it without one.")
        if entry.compress_type not in METHODS:
            raise refused_file(DAMAGED)
        ratio = entry.file_size / max(entry.compress_size, 1)
        if entry.file_size > MIN_SUSPECT and ratio > MAX_RATIO:
            raise refused_file(TOO_LARGE)
    return entries
