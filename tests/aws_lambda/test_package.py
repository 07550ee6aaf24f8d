"""The zip of the functions: its contents, and that the same sources give the same bytes."""

import re
import zipfile
from pathlib import Path

import pytest

from deploy.package.build import (
    build,
    download_wheels,
    own_files,
    validate_size,
    with_bytecode,
    write_zip,
)
from deploy.package.checks import REQUIRED_FILES, PackageRefused, validate_files
from deploy.package.prune import pruned
from tests.support.tools import skip

ELF = b"\x7fELF" + bytes(14)
ARM, INTEL = ELF + b"\xb7\x00", ELF + b"\x3e\x00"
BYTECODE = bytes(4) + b"\x01" + bytes(11)  # an unchecked hash, so Python never recompiles it
COMPLETE = dict.fromkeys(REQUIRED_FILES, b"") | {"a.so": ARM, "a.pyc": BYTECODE}


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    files = dict(own_files())
    assert {
        "tasks/aws_lambda.py",
        "bbws_products/settings/api.py",
        "products/api/openapi.yaml",
    } <= files.keys()
    assert not [name for name in files if "admin" in name or "management" in name]
    assert not [name for name in files if name.startswith(("tests", "products/locale"))]
    for name in ("one.zip", "two.zip"):
        write_zip(with_bytecode(files), tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


@pytest.mark.parametrize(
    "name",
    [
        "django/conf/locale/de/LC_MESSAGES/django.mo",
        "django/contrib/admin/static/admin/css/base.css",
        "django/contrib/gis/gdal/__init__.py",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/s3/2006-03-01/examples-1.json",
        "jwt/tests/test_api.py",
        "botocore-1.44.8.dist-info/RECORD",
        "cffi/recompiler.pyi",
    ],
)
def test_files_that_are_never_read_are_left_out(name: str) -> None:
    assert pruned(name, b"") is None


def test_files_that_every_start_reads_are_shortened() -> None:
    import botocore  # noqa: PLC0415 # only for the path of its service descriptions

    name = "botocore/data/dynamodb/2012-08-10/service-2.json.gz"
    whole = (Path(botocore.__file__).parents[1] / name).read_bytes()
    kept = pruned(name, whole)
    assert kept
    assert kept[0] == name.removesuffix(".gz")
    assert set(re.findall(rb'"documentation":"[^"]', kept[1])) == set()
    assert b'"GetItem"' in kept[1]
    endpoints = (Path(botocore.__file__).parent / "data" / "endpoints.json").read_bytes()
    shorter = pruned("botocore/data/endpoints.json", endpoints)
    assert shorter
    assert len(shorter[1]) * 10 < len(endpoints)


def test_a_complete_zip_is_accepted() -> None:
    validate_files(COMPLETE, "arm64")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"b.so": INTEL}, "not for arm64: b.so"),
        ({"b.pyc": bytes(16)}, "recompile this bytecode at each start: b.pyc"),
        ({"app/.env": b""}, "must not be deployed: app/.env"),
        ({"products/tests/test_x.py": b""}, "must not be deployed: products/tests"),
        ({"db.sqlite3": b""}, "must not be deployed: db.sqlite3"),
        ({"keys.py": b"KEY = 'AKIA" + b"ABCDEFGHIJ234567'"}, "seem to contain a secret: keys.py"),
        (
            {"k.txt": b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 64},
            "seem to contain a secret: k.txt",
        ),
    ],
)
def test_a_zip_with_an_unwanted_file_is_refused(more: dict[str, bytes], sentence: str) -> None:
    with pytest.raises(PackageRefused, match=re.escape(sentence)):
        validate_files(COMPLETE | more, "arm64")


def test_an_incomplete_zip_is_refused() -> None:
    with pytest.raises(PackageRefused, match=r"Missing files: tasks/aws_lambda\.py"):
        validate_files(without("tasks/aws_lambda.py"), "arm64")
    with pytest.raises(PackageRefused, match="No compiled library"):
        validate_files(without("a.so"), "arm64")


def without(left_out: str) -> dict[str, bytes]:
    return {name: content for name, content in COMPLETE.items() if name != left_out}


def test_a_zip_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(bytes(101))
    assert validate_size(tmp_path / "x.zip", 101) == 101
    with pytest.raises(PackageRefused, match="101 bytes; at most 100"):
        validate_size(tmp_path / "x.zip", 100)


@pytest.fixture
def arm64_wheels() -> None:
    """Download the libraries, or skip the test where the package index does not answer."""
    try:
        download_wheels("arm64")
    except PackageRefused as refusal:
        skip(f"The package index does not answer: {refusal}")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_zip_for_graviton_has_no_library_of_another_processor(
    tmp_path: Path, arm64_wheels: None
) -> None:
    """The default deployment. Its libraries are downloaded here, but can't run."""
    zipped = tmp_path / "products-lambda.zip"
    summary = r".*: \d+ files, 1\d\.\d MB, arm64, sha256 [0-9a-f]{64}"
    assert re.fullmatch(summary, build("arm64", zipped))
    with zipfile.ZipFile(zipped) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    libraries = [name for name, content in files.items() if content.startswith(b"\x7fELF")]
    assert len(libraries) >= 4  # cryptography, cffi, orjson, charset-normalizer
    assert [name for name in libraries if "x86_64" in name] == []
    with pytest.raises(PackageRefused, match="not for x86_64"):
        validate_files(files, "x86_64")
