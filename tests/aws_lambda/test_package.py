"""The zip of the functions: what is in it, what may not be, and that the same sources give the same bytes."""

import re
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest

from deploy.local.engines import ROOT
from deploy.package.build import (
    REQUIREMENTS,
    build,
    download_wheels,
    own_files,
    validate_size,
    with_bytecode,
    write_zip,
)
from deploy.package.checks import REQUIRED_FILES, PackageRefused, validate_files
from deploy.package.prune import NOT_NEEDED, pruned
from tests.support.tools import skip

ELF = b"\x7fELF" + bytes(14)
ARM, INTEL = ELF + b"\xb7\x00", ELF + b"\x3e\x00"
FIT = dict.fromkeys(REQUIRED_FILES, b"") | {"a.so": ARM, "a.pyc": bytes(4) + b"\x01" + bytes(11)}


def pins(path: Path) -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
    return {re.split(r"[\[=]", line)[0].lower(): line.partition("==")[2] for line in lines if line}


def test_versions_are_those_of_the_application() -> None:
    zipped, whole = pins(REQUIREMENTS), pins(ROOT / "requirements.txt")
    shared = zipped.keys() & whole.keys()
    assert {"django", "celery", "kombu", "boto3"} <= shared
    assert {name: zipped[name] for name in shared} == {name: whole[name] for name in shared}
    assert not {"psycopg", "granian", "django-unfold", "pillow", "pycurl"} & zipped.keys()


def test_the_list_is_complete() -> None:
    """It is installed without what its members ask for, so that must stand in it too, or be left out on purpose."""
    zipped = pins(REQUIREMENTS)
    asked = {
        re.split(r"[^\w.-]", need)[0].lower().replace("_", "-")
        for name in zipped
        for need in requires(name) or []
        if not re.search(r"extra ==|sys_platform|platform_system|python_(full_)?version <", need)
    }
    assert asked - zipped.keys() <= NOT_NEEDED.keys() | {"typing-extensions"}


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    files = dict(own_files())
    assert {
        "tasks/aws_lambda.py",
        "bbws_products/settings/api.py",
        "products/api/openapi.yaml",
    } <= files.keys()
    assert not [
        name
        for name in files
        if "admin" in name or "management" in name or name.startswith("tests")
    ]
    for name in ("one.zip", "two.zip"):
        write_zip(with_bytecode(files), tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


@pytest.mark.parametrize(
    "left_out",
    [
        "django/conf/locale/de/LC_MESSAGES/django.mo",
        "django/contrib/admin/static/admin/css/base.css",
        "django/contrib/gis/gdal/__init__.py",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/s3/2006-03-01/examples-1.json",
        "celery/tests/test_app.py",
        "boto3-1.44.5.dist-info/RECORD",
        "cffi/recompiler.pyi",
    ],
)
def test_what_is_never_read_is_left_out(left_out: str) -> None:
    assert pruned(left_out, b"") is None


def test_what_is_read_at_each_start_is_short() -> None:
    import botocore  # noqa: PLC0415 # where its descriptions are

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


def test_a_fit_zip_passes() -> None:
    validate_files(FIT, "arm64")


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
def test_an_unfit_zip_is_refused(more: dict[str, bytes], sentence: str) -> None:
    with pytest.raises(PackageRefused, match=re.escape(sentence)):
        validate_files(FIT | more, "arm64")


def test_a_zip_that_lacks_something_is_refused() -> None:
    with pytest.raises(PackageRefused, match=r"Missing files: tasks/aws_lambda\.py"):
        validate_files(
            {name: content for name, content in FIT.items() if name != "tasks/aws_lambda.py"},
            "arm64",
        )
    with pytest.raises(PackageRefused, match="No compiled library"):
        validate_files({name: content for name, content in FIT.items() if name != "a.so"}, "arm64")


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
def test_the_zip_for_graviton_holds_nothing_for_another_processor(
    tmp_path: Path, arm64_wheels: None
) -> None:
    """What is deployed by default; its libraries are only fetched here, and run nowhere."""
    zipped = tmp_path / "products-lambda.zip"
    assert re.fullmatch(
        r".*: \d+ files, 1\d\.\d MB, arm64, sha256 [0-9a-f]{64}", build("arm64", zipped)
    )
    with zipfile.ZipFile(zipped) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    libraries = [name for name, content in files.items() if content.startswith(b"\x7fELF")]
    assert len(libraries) >= 4  # cryptography, cffi, orjson, charset-normalizer
    assert [name for name in libraries if "x86_64" in name] == []
    with pytest.raises(PackageRefused, match="not for x86_64"):
        validate_files(files, "x86_64")
