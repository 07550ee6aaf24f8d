"""What must be true of the zip, looked at in the zip's own files before it is written."""

import re
from collections.abc import Mapping

MACHINES = {"arm64": 183, "x86_64": 62}
"""The numbers of processors in the head of a compiled library (ELF's ``e_machine``)."""
FLAGS, HASHED = 4, 0b01
"""Where bytecode says how it is known to be that of its source, and the bit for "by a hash" (PEP 552)."""
SECRETS = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----[\r\n]+[A-Za-z0-9+/=]{40}|\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{36}"
)
FOREIGN = re.compile(
    r"(^|/)(tests?|\.env[^/]*|\.git|\.local|[^/]*\.sqlite3?|[^/]*\.key|secret-key|token-key)(/|$)"
)
REQUIRED_FILES = (
    "bbws_products/aws_lambda.py",
    "tasks/aws_lambda.py",
    "products/api/openapi.yaml",
    "django/__init__.py",
)


class PackageRefused(Exception):
    """The zip is not fit to be deployed; the sentence says why."""


def validate_files(files: Mapping[str, bytes], architecture: str) -> None:
    """PackageRefused unless these files are complete, for this processor, compiled for good, and free of secrets."""
    missing = [name for name in REQUIRED_FILES if name not in files]
    refuse_if(missing, "It lacks")
    libraries = {name: content for name, content in files.items() if content.startswith(b"\x7fELF")}
    wrong = [
        name for name, content in libraries.items() if _machine(content) != MACHINES[architecture]
    ]
    refuse_if(wrong, f"These are not for {architecture}:")
    if not libraries:
        raise PackageRefused("It holds no compiled library, so cryptography can't be complete.")
    bytecode = {name: content for name, content in files.items() if name.endswith(".pyc")}
    stale = [name for name, content in bytecode.items() if not content[FLAGS] & HASHED]
    if len(stale) * 100 > len(bytecode) or not bytecode:
        refuse_if(stale or ["(none)"], "This bytecode would be compiled anew at each start:")
    refuse_if([name for name in files if FOREIGN.search(name)], "These belong in no deployment:")
    refuse_if(
        [name for name, content in files.items() if SECRETS.search(content)],
        "A secret seems to be in",
    )


def refuse_if(names: list[str], sentence: str) -> None:
    if names:
        raise PackageRefused(f"{sentence} {', '.join(sorted(names)[:5])}.")


def _machine(library: bytes) -> int:
    return int.from_bytes(library[18:20], "little")
