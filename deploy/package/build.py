"""``make package``: the zip of all functions on Lambda, the same bytes from the same sources.

    python -m deploy.package.build [--architecture arm64|x86_64] [--to FILE]

Bytecode in it is valid by its own word ("unchecked hash"): a zip has no times that Python could compare, so bytecode of
the usual kind would be compiled anew at each start, which takes longer than all else. The build must run on the Python
that Lambda runs.
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
"""What wheels may ask of Amazon Linux 2023."""
OURS = ("bbws_products/**/*.py", "products/**/*.py", "tasks/**/*.py", "products/api/openapi.yaml")
NOT_ON_LAMBDA = ("products/admin/", "products/migrations/", "/management/")
EPOCH = (1980, 1, 1, 0, 0, 0)


def download_wheels(architecture: str) -> list[Path]:
    """The wheels, in order; kept in ``.build`` for as long as nobody changes the list of them."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = ROOT / ".build" / f"wheels-{architecture}-{digest}"
    if not folder.exists():
        unfinished = Path(tempfile.mkdtemp(prefix="wheels-", dir=_make_folder(folder.parent)))
        platforms = [f"--platform=manylinux{glibc}_{PLATFORMS[architecture]}" for glibc in GLIBC]
        kind = [
            "--only-binary=:all:",
            "--implementation=cp",
            "--python-version=3.12",
            "--no-deps",
            *platforms,
        ]
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            *kind,
        ]
        got = subprocess.run(  # noqa: S603 # our own command
            [*command, "--requirement", str(REQUIREMENTS), "--dest", str(unfinished)],
            check=False,
            timeout=600,
        )
        if got.returncode:
            raise PackageRefused(
                f"pip could not get the libraries for {architecture}; its words are above."
            )
        with contextlib.suppress(OSError):  # somebody else was faster
            unfinished.rename(folder)
    return sorted(folder.glob("*.whl"))


def _make_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def library_files(wheels: list[Path]) -> Iterator[tuple[str, bytes]]:
    """The libraries' files by their names in the zip."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith("/") and (kept := pruned(name, archive.read(name))):
                    yield kept


def own_files() -> Iterator[tuple[str, bytes]]:
    """Our own files: what the API and the consumers may import, and the contract."""
    for path in sorted(path for pattern in OURS for path in ROOT.glob(pattern)):
        name = path.relative_to(ROOT).as_posix()
        if not any(part in name for part in NOT_ON_LAMBDA):
            yield name, path.read_bytes()


def with_bytecode(files: dict[str, bytes]) -> dict[str, bytes]:
    """All of it, and beside each source its bytecode."""
    compiled = {}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source.py"), Path(folder, "target.pyc")
        for name in sorted(name for name in files if name.endswith(".py")):
            source.write_bytes(files[name])
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(
                str(source), str(target), f"/var/task/{name}", doraise=True, invalidation_mode=mode
            )
            where, _, module = name.rpartition("/")
            tag = f"cpython-{PYTHON[0]}{PYTHON[1]}"
            compiled[f"{where}/__pycache__/{module.removesuffix('.py')}.{tag}.pyc".lstrip("/")] = (
                target.read_bytes()
            )
    return files | compiled


def write_zip(files: dict[str, bytes], to: Path) -> None:
    """In order, and without anything of this machine or hour."""
    _make_folder(to.parent)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type, entry.create_system, entry.external_attr = (
                zipfile.ZIP_DEFLATED,
                3,
                0o644 << 16,
            )
            archive.writestr(entry, files[name])


def build(architecture: str, to: Path) -> str:
    """Build, check, and return what there is to say of the zip; PackageRefused."""
    if sys.version_info[:2] != PYTHON:
        raise PackageRefused(
            f"The zip is for Python 3.12, and this is {sys.version.split()[0]}: its bytecode differs."
        )
    files = with_bytecode(dict(library_files(download_wheels(architecture))) | dict(own_files()))
    validate_files(files, architecture)
    write_zip(files, to)
    size = validate_size(to)
    digest = hashlib.sha256(to.read_bytes()).hexdigest()
    return f"{to}: {len(files)} files, {size / 1e6:.1f} MB, {architecture}, sha256 {digest}"


def validate_size(zipped: Path, max_bytes: int = 20_000_000) -> int:
    """Bytes of the zip."""
    size = zipped.stat().st_size
    if size > max_bytes:
        raise PackageRefused(f"The zip has {size} bytes, more than the {max_bytes} it is allowed.")
    return size


def main() -> None:
    arguments = argparse.ArgumentParser(
        prog="deploy.package.build", description="Build the zip of the functions."
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
