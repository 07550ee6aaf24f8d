"""Check the files of the zip before it is written."""

import re
from collections.abc import Mapping

MACHINES = {"arm64": 183, "x86_64": 62}
"""The processor's number in the header of a compiled library (``e_machine`` of ELF)."""
FLAGS_OFFSET, HASH_FLAG = 4, 0b01
"""In bytecode: the position of the flags, and the flag for hash-based bytecode (PEP 552)."""
SECRETS = re.compile(
    rb"""-----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[\r\n]+[A-Za-z0-9+/=]{40}
      | \b(AKIA|ASIA)[A-Z0-9]{16}\b   # AWS access keys
      | \bgh[pousr]_\w{36}            # GitHub tokens
    """,
    re.VERBOSE,
)
UNWANTED_FILES = re.compile(
    r"(^|/)(tests?|\.env[^/]*|\.git|\.local|[^/]*\.sqlite3?|[^/]*\.key|secret-key|token-key)(/|$)"
)
REQUIRED_FILES = (
    "bbws_products/aws_lambda.py",
    "tasks/aws_lambda.py",
    "products/api/openapi.yaml",
    "django/__init__.py",
)


class PackageRefused(Exception):
    """The zip is not fit to be deployed; the message says why."""


def validate_files(files: Mapping[str, bytes], architecture: str) -> None:
    """Raise PackageRefused unless the files are fit to be deployed.

    They must be complete, built for the processor, compiled to hash-based bytecode, and free of
    secrets.
    """
    refuse_if([name for name in REQUIRED_FILES if name not in files], "Missing files:")
    _validate_libraries(files, architecture)
    _validate_bytecode(files)
    unwanted = [name for name in files if UNWANTED_FILES.search(name)]
    refuse_if(unwanted, "These files must not be deployed:")
    secret = [name for name, content in files.items() if SECRETS.search(content)]
    refuse_if(secret, "These files seem to contain a secret:")


def _validate_libraries(files: Mapping[str, bytes], architecture: str) -> None:
    libraries = {name: content for name, content in files.items() if content.startswith(b"\x7fELF")}
    machine = MACHINES[architecture]
    wrong = [name for name, content in libraries.items() if _machine(content) != machine]
    refuse_if(wrong, f"These libraries are not for {architecture}:")
    if not libraries:
        raise PackageRefused("No compiled library is in the zip, so cryptography is incomplete.")


def _validate_bytecode(files: Mapping[str, bytes]) -> None:
    """Refuse bytecode that Python would recompile, if it is more than 1 % of all."""
    bytecode = {name: content for name, content in files.items() if name.endswith(".pyc")}
    stale = [name for name, content in bytecode.items() if not content[FLAGS_OFFSET] & HASH_FLAG]
    if len(stale) * 100 > len(bytecode) or not bytecode:
        refuse_if(stale or ["(none)"], "Python would recompile this bytecode at each start:")


def refuse_if(names: list[str], sentence: str) -> None:
    """Raise PackageRefused with the sentence and at most five of the names, if there are any."""
    if names:
        raise PackageRefused(f"{sentence} {', '.join(sorted(names)[:5])}.")


def _machine(library: bytes) -> int:
    return int.from_bytes(library[18:20], "little")
