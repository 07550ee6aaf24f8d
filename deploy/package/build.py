"""``make package``: build the zip of all Lambda functions, reproducibly.

    python -m deploy.package.build [--architecture arm64|x86_64] [--to FILE]

The zip contains bytecode that Python does not compare with its source ("unchecked hash"). Files
from a zip have no reliable modification times, so Python would recompile the usual bytecode at
each start, which is the slowest part of a start. The build must run on the same Python version as
Lambda.
"""

import argparse
import contextlib
import hashlib
import py_compile
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from deploy.package.checks import PackageRefused, validate_files
from deploy.package.prune import pruned

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PYTHON = (3, 12)
PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
GLIBC = ("2014", "_2_17", "_2_28", "_2_34")
"""The manylinux versions that Amazon Linux 2023 supports."""
OWN_FILES = (
    "bbws_products/**/*.py",
    "products/**/*.py",
    "tasks/**/*.py",
    "products/api/openapi.yaml",
)
NOT_ON_LAMBDA = ("products/admin/", "products/migrations/", "/management/")
EPOCH = (1980, 1, 1, 0, 0, 0)


def download_wheels(architecture: str) -> list[Path]:
    """Return the wheels in order, downloading them if needed.

    They stay in ``.build`` until the requirements change. Raise PackageRefused when pip fails.
    """
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = ROOT / ".build" / f"wheels-{architecture}-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix="wheels-", dir=folder.parent))
        _run_pip_download(architecture, unfinished)
        with contextlib.suppress(OSError):  # another process was faster
            unfinished.rename(folder)
    return sorted(folder.glob("*.whl"))


def _run_pip_download(architecture: str, to: Path) -> None:
    platforms = [f"--platform=manylinux{glibc}_{PLATFORMS[architecture]}" for glibc in GLIBC]
    target = ["--implementation=cp", "--python-version=3.12", *platforms]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    files = ["--requirement", str(REQUIREMENTS), "--dest", str(to)]
    command = [*pip, "--only-binary=:all:", "--no-deps", *target, *files]
    done = subprocess.run(command, check=False, timeout=600)  # noqa: S603 # our own command
    if done.returncode:
        raise PackageRefused(
            f"pip could not download the libraries for {architecture}; see its output above."
        )


def library_files(wheels: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the libraries with their names in the zip."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith("/") and (kept := pruned(name, archive.read(name))):
                    yield kept


def own_files() -> Iterator[tuple[str, bytes]]:
    """Yield our own files: what the API and the consumers may import, and the OpenAPI file."""
    for path in sorted(path for pattern in OWN_FILES for path in ROOT.glob(pattern)):
        name = path.relative_to(ROOT).as_posix()
        if not any(part in name for part in NOT_ON_LAMBDA):
            yield name, path.read_bytes()


def with_bytecode(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files, with the bytecode of each Python source added."""
    compiled = {}
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source.py"), Path(folder, "target.pyc")
        for name in sorted(name for name in files if name.endswith(".py")):
            source.write_bytes(files[name])
            shown_path = f"/var/task/{name}"  # in tracebacks on Lambda
            py_compile.compile(
                str(source), str(target), shown_path, doraise=True, invalidation_mode=mode
            )
            compiled[_bytecode_name(name)] = target.read_bytes()
    return files | compiled


def _bytecode_name(name: str) -> str:
    folder, _, module = name.rpartition("/")
    tag = f"cpython-{PYTHON[0]}{PYTHON[1]}"
    return f"{folder}/__pycache__/{module.removesuffix('.py')}.{tag}.pyc".lstrip("/")


def write_zip(files: dict[str, bytes], to: Path) -> None:
    """Write the zip in a fixed order, without times or owners, so that it is reproducible."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix
            entry.external_attr = 0o644 << 16  # the file's mode
            archive.writestr(entry, files[name])


def build(architecture: str, to: Path) -> str:
    """Build and check the zip; return a line that describes it.

    Raise PackageRefused when it is not fit to be deployed.
    """
    if sys.version_info[:2] != PYTHON:
        raise PackageRefused(
            f"The zip needs bytecode of Python 3.12; this is Python {sys.version.split()[0]}."
        )
    files = with_bytecode(dict(library_files(download_wheels(architecture))) | dict(own_files()))
    validate_files(files, architecture)
    write_zip(files, to)
    size = validate_size(to)
    digest = hashlib.sha256(to.read_bytes()).hexdigest()
    return f"{to}: {len(files)} files, {size / 1e6:.1f} MB, {architecture}, sha256 {digest}"


def validate_size(zipped: Path, max_bytes: int = 20_000_000) -> int:
    """Return the size of the zip in bytes; raise PackageRefused if it is too large."""
    size = zipped.stat().st_size
    if size > max_bytes:
        raise PackageRefused(f"The zip has {size} bytes; at most {max_bytes} are allowed.")
    return size


def main() -> None:
    arguments = argparse.ArgumentParser(
        prog="deploy.package.build", description="Build the zip of the Lambda functions."
    )
    arguments.add_argument("--architecture", choices=PLATFORMS, default="arm64")
    arguments.add_argument("--to", type=Path, default=ROOT / ".build" / "products-lambda.zip")
    chosen = arguments.parse_args()
    try:
        print(build(chosen.architecture, chosen.to))
    except PackageRefused as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
