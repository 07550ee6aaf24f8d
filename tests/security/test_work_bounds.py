"""Work and memory are bounded by the input: twice the input takes at most about twice the work."""

import io
import json
import subprocess
import sys
import time
import unicodedata
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from PIL import Image
from rest_framework.exceptions import APIException

from deploy.local.engines import ROOT
from products.admin.formatting import _marked_parts
from products.amounts import ANY_NOTATION
from products.api.parsers import BatchJSONParser
from products.api.plan_bodies import read_new_plan
from products.bulk.columns import known_field
from products.bulk.files import read_head, read_sheet
from products.bulk.html_text import plain_text
from products.bulk.imports import ImportOptions, plan_import
from products.bulk.xlsx_parts import ELLIPSIS
from products.errors import CatalogueError
from products.product import RULES, normalised_name
from products.search.price_words import price_words
from products.search.words import words_of
from products.unicode_text import Form, normalized
from tests.support.import_files import Existing, ods_of, xlsx_of, xlsx_of_shared_texts, zip_of

MAX_RATIO = 3.0  # of the CPU time for twice the input; a quadratic path has 4
MAX_IMAGE_MEGABYTES = 150


def json_of_keys(size: int) -> Callable[[], object]:
    body = json.dumps({f"key-{number}": number for number in range(size)}).encode()
    return lambda: BatchJSONParser().parse(io.BytesIO(body))


def text_of_one_word(size: int) -> Callable[[], object]:
    return lambda: _marked_parts(["a"] * size, ["b", "a"] * (size // 2), " ")


def text_of_two_words(size: int) -> Callable[[], object]:
    return lambda: _marked_parts(["a", "b"] * (size // 2), ["b", "b", "a"] * (size // 3), " ")


def long_name(size: int) -> Callable[[], object]:
    return lambda: normalised_name("\u00c5 \u200b\ufe0f" * size)


MARKS = "\u0301\u0316"
"""Marks behind a letter that Unicode wants in the other order."""


def name_with_marks(size: int) -> Callable[[], object]:
    return lambda: normalised_name(f"a{MARKS * size}")


def text_with_marks(size: int) -> Callable[[], object]:
    return lambda: refused(lambda: RULES["description"](f"a{MARKS * size}"))


def search_with_marks(size: int) -> Callable[[], object]:
    return lambda: words_of(f"a{MARKS * size}")


def amount_with_marks(size: int) -> Callable[[], object]:
    return lambda: refused(lambda: ANY_NOTATION.read(f"1{MARKS * size}"))


def column_with_marks(size: int) -> Callable[[], object]:
    return lambda: known_field(f"price{MARKS * size}")


def search_of_thousands(size: int) -> Callable[[], object]:
    return lambda: price_words("1 " + "000 " * size)


def search_of_ranges(size: int) -> Callable[[], object]:
    return lambda: price_words("between 1 and " * size)


def search_of_amounts(size: int) -> Callable[[], object]:
    return lambda: words_of("r1" + " 000" * size)


def amount_of_thousands(size: int) -> Callable[[], object]:
    return lambda: refused(lambda: ANY_NOTATION.read("1" + ",000" * size))


def markup(size: int) -> Callable[[], object]:
    return lambda: plain_text("<p><b a='" * size)


def rows_of_one_name(size: int) -> Callable[[], object]:
    sheet = read_sheet(("name,price\n" + "same,1\n" * size).encode())
    return lambda: plan_import(sheet, ImportOptions(), Existing())


def rows_of_new_ids(size: int) -> Callable[[], object]:
    lines = "".join(f"{number},n{number},1\n" for number in range(size))
    sheet = read_sheet(f"id,name,price\n{lines}".encode())
    return lambda: plan_import(sheet, ImportOptions(), Existing())


def cell_of_features(size: int) -> Callable[[], object]:
    sheet = read_sheet(("name,features\nx," + "a|" * size + "\n").encode())
    return lambda: plan_import(sheet, ImportOptions(), Existing())


def open_quotes(size: int) -> Callable[[], object]:
    data = ("id,name\n" + 'x,"' * size).encode()
    return lambda: refused(lambda: read_sheet(data))


def long_value_in_xml(size: int) -> Callable[[], object]:
    names = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    sheet = f'<worksheet {names}><sheetData a="{"x" * size}"/></worksheet>'
    files = {"xl/worksheets/sheet1.xml": sheet}
    with zipfile.ZipFile(io.BytesIO(xlsx_of(["name"]))) as archive:
        data = zip_of({name: archive.read(name) for name in archive.namelist()} | files)
    return lambda: refused(lambda: read_sheet(data))


def styles_of_one_format(size: int) -> Callable[[], object]:
    form = f'<numFmts><numFmt numFmtId="200" formatCode="{"0" * 20 * size}"/></numFmts>'
    styles = f"<cellXfs>{'<xf numFmtId="200"/>' * size}</cellXfs>"
    files = {"xl/styles.xml": f"<styleSheet>{form}{styles}</styleSheet>"}
    with zipfile.ZipFile(io.BytesIO(xlsx_of(["name"], ["x"]))) as archive:
        data = zip_of({name: archive.read(name) for name in archive.namelist()} | files)
    return lambda: read_sheet(data)


def plan_of(rows: list[Any]) -> Callable[[], object]:
    body = json.dumps({"name": "x", "rows": rows}).encode()
    return lambda: refused(lambda: read_new_plan(BatchJSONParser().parse(io.BytesIO(body))))


def rows_of_a_plan(size: int) -> Callable[[], object]:
    return plan_of([{"productId": f"p{number}", "edits": {"price": "1"}} for number in range(size)])


def wrong_rows_of_a_plan(size: int) -> Callable[[], object]:
    return plan_of([{"productId": f"p{number}", "x": 1} for number in range(size)])


def edits_of_a_plan(size: int) -> Callable[[], object]:
    return plan_of([{"productId": "p", "edits": {f"k{number}": 1 for number in range(size)}}])


def adjusted_fields_of_a_plan(size: int) -> Callable[[], object]:
    adjust = {"kind": "percent", "by": "1", "fields": ["price"] * size}
    return plan_of([{"productId": "p", "adjust": adjust}])


def refused(work: Callable[[], object]) -> None:
    with suppress(CatalogueError, ValueError, APIException):
        work()


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the least CPU time of several runs: other processes only add to it."""
    times = []
    for _ in range(3):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


def is_less(
    work: Callable[[], Callable[[], object]],
    factor: float,
    other: Callable[[], Callable[[], object]],
) -> bool:
    """Whether the work takes less than the other times this factor, in one of three comparisons.

    Processors change their pace in between. A path of another order is slower each time.
    """
    return any(cpu_seconds(work()) < factor * cpu_seconds(other()) for _ in range(3))


@pytest.mark.parametrize(
    ("work_on", "size"),
    [
        (json_of_keys, 10_000),
        (text_of_one_word, 4000),
        (text_of_two_words, 4000),
        (long_name, 5000),
        (name_with_marks, 5000),
        (text_with_marks, 5000),
        (search_with_marks, 5000),
        (amount_with_marks, 5000),
        (column_with_marks, 5000),
        (search_of_thousands, 500),
        (search_of_ranges, 500),
        (search_of_amounts, 5000),
        (amount_of_thousands, 5000),
        (markup, 500),
        (rows_of_one_name, 500),
        (rows_of_new_ids, 500),
        (cell_of_features, 5000),
        (open_quotes, 10_000),
        (long_value_in_xml, 4_000_000),
        (styles_of_one_format, 1000),
        (rows_of_a_plan, 500),
        (wrong_rows_of_a_plan, 500),
        (edits_of_a_plan, 10_000),
        (adjusted_fields_of_a_plan, 20_000),
    ],
)
def test_twice_the_input_takes_twice_the_work(
    work_on: Callable[[int], Callable[[], object]], size: int
) -> None:
    assert is_less(lambda: work_on(2 * size), MAX_RATIO, lambda: work_on(size))


def csv_rows(size: int) -> bytes:
    return ("id,name,price\n" + "".join(f"{at},n{at},1\n" for at in range(size))).encode()


def xlsx_rows(size: int) -> bytes:
    return xlsx_of(["id", "name", "price"], *[[at, f"n{at}", 1] for at in range(size)])


def ods_rows(size: int) -> bytes:
    return ods_of(["id", "name", "price"], *[[at, f"n{at}", 1] for at in range(size)])


def late_text(size: int) -> bytes:
    """Return a workbook whose first row names the last of many texts."""
    texts = "".join(f"<si><t>text {at}</t></si>" for at in range(size))
    return xlsx_of_shared_texts(f"<sst>{texts}</sst>", [0, size - 1, *range(size)])


@pytest.mark.parametrize(("file_of", "size"), [(xlsx_rows, 3000), (ods_rows, 12_000)])
def test_columns_of_a_longer_workbook_take_no_more_work(
    file_of: Callable[[int], bytes], size: int
) -> None:
    short, long = file_of(size), file_of(4 * size)
    assert is_less(lambda: partial(read_head, long), 2, lambda: partial(read_head, short))


def test_columns_of_a_csv_file_take_little_of_its_work() -> None:
    """Only its characters are decoded, about 2 ms for each megabyte."""
    file = csv_rows(10_000)
    assert is_less(lambda: partial(read_head, file), 0.25, lambda: partial(read_sheet, file))


def test_columns_of_a_far_text_take_bounded_work() -> None:
    assert read_head(late_text(500)).rows[0].cells == ["text 499"]
    assert read_head(late_text(120_000)).rows[0].cells == [ELLIPSIS]


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_long_texts_are_normalised_like_short_ones(form: Form) -> None:
    text = "Caf\u00e9 e\u0301\u0316 \ufb01 \u212b \uac00 " * 200
    assert normalized(form, text) == unicodedata.normalize(form, text)


def test_duplicate_keys_are_still_found() -> None:
    with pytest.raises(Exception, match="'a' occurs twice"):
        BatchJSONParser().parse(io.BytesIO(b'{"a": 1, "b": 2, "a": 3}'))


@pytest.mark.parametrize(
    ("kind", "size", "mode"),
    [
        ("PNG", (6000, 4000), "RGB"),
        ("PNG", (6000, 4000), "RGBA"),
        ("PNG", (6000, 4000), "P"),
        ("PNG", (6000, 4000), "L"),
        ("JPEG", (6000, 4000), "RGB"),
        ("WEBP", (3200, 2500), "RGB"),
    ],
)
def test_largest_images_fit_into_their_memory(kind: str, size: tuple[int, int], mode: str) -> None:
    data = io.BytesIO()
    options = {"progressive": True, "subsampling": 0} if kind == "JPEG" else {}
    Image.new(mode, size, 1).save(data, kind, **options)
    script = (
        "import sys, resource, django; django.setup();"
        "from products.admin.images import validated_image;"
        "data = sys.stdin.buffer.read();"
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "before = used(); validated_image(data); print((used() - before) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=data.getvalue(),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert int(done.stdout) <= MAX_IMAGE_MEGABYTES
