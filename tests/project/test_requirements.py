"""The requirements files are what `make lock` makes of pyproject.toml: complete, one version each.

Everything is compared without a network: indirect requirements come from the installed packages.
"""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.local.engines import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = {"project": PYPROJECT["project"]["dependencies"], **PYPROJECT["dependency-groups"]}
FILES = {
    "requirements.txt": ("project", "container"),
    "tests/requirements.txt": ("project", "container", "test"),
    "deploy/package/requirements.txt": ("project",),
    "deploy/local/requirements.txt": ("engines",),
    "deploy/lint-requirements.txt": ("lint",),
    "deploy/terraform/requirements.txt": ("infra",),
}
"""The groups of pyproject.toml that each file is compiled from."""
PRODUCT_FILES = [name for name, groups in FILES.items() if "project" in groups]
each_file = pytest.mark.parametrize("name", FILES)


def direct_requirements(name: str) -> list[Requirement]:
    """Return the requirements in pyproject.toml that a file is compiled from."""
    return [Requirement(line) for group in FILES[name] for line in GROUPS[group]]


def compiled(name: str) -> list[tuple[Requirement, list[str]]]:
    """Return the requirements in a file, each with its hashes."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return [
        (Requirement(line.partition(" --hash=")[0]), re.findall(r"--hash=sha256:(\w{64})\b", line))
        for line in lines
    ]


def versions(name: str) -> dict[str, str]:
    """Return the pinned version of each package in a file."""
    return {canonicalize_name(found.name): str(found.specifier) for found, _ in compiled(name)}


def left_out(name: str) -> set[str]:
    """Return the packages that `make lock` leaves out of a file."""
    _, _, names = (ROOT / name).read_text().partition("were excluded from the output:\n")
    return set(re.findall(r"^# (\S+)$", names, re.MULTILINE))


def installed_closure(direct: list[Requirement]) -> set[str]:
    """Return the packages that these requirements bring into this virtual environment."""
    found: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(r.name), extra) for r in direct for extra in ["", *r.extras]]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for needed in map(Requirement, requires(name) or []):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                needed_name = canonicalize_name(needed.name)
                waiting += [(needed_name, more) for more in ["", *needed.extras]]
    return {name for name, _ in found}


def is_for_this_machine(marker: Marker | None) -> bool:
    return marker is None or marker.evaluate()


@each_file
def test_direct_requirements_are_pinned_as_in_pyproject(name: str) -> None:
    wanted = {canonicalize_name(r.name): str(r.specifier) for r in direct_requirements(name)}
    assert wanted
    assert [pin for pin in wanted.values() if not re.fullmatch(r"==[\w.]+", pin)] == []
    found = versions(name)
    assert {package: found.get(package) for package in wanted} == wanted


@each_file
def test_each_requirement_has_one_version_and_its_hashes(name: str) -> None:
    requirements = compiled(name)
    assert len(requirements) == len(versions(name))
    assert [str(found) for found, hashes in requirements if not hashes] == []
    pins = [str(found.specifier) for found, _ in requirements]
    assert [pin for pin in pins if not re.fullmatch(r"==[\w.]+", pin)] == []


@each_file
def test_no_package_index_is_named(name: str) -> None:
    assert re.findall(r"://|^-|index", (ROOT / name).read_text(), re.MULTILINE) == []


def test_a_package_has_the_same_version_in_image_tests_and_functions() -> None:
    tested = versions("tests/requirements.txt")
    for name in PRODUCT_FILES:
        assert versions(name).items() <= tested.items()


@pytest.mark.parametrize("name", PRODUCT_FILES)
def test_the_list_includes_all_indirect_requirements(name: str) -> None:
    """It has nothing else either. The functions' zip is unpacked from this list without pip."""
    listed = {canonicalize_name(r.name) for r, _ in compiled(name) if is_for_this_machine(r.marker)}
    assert listed | left_out(name) == installed_closure(direct_requirements(name))


def test_functions_do_not_contain_what_only_containers_use() -> None:
    packages = versions("deploy/package/requirements.txt").keys()
    unwanted = {"boto3", "celery", "granian", "grpcio", "kombu", "pillow", "psycopg"}
    assert not unwanted & packages


def test_the_makefile_compiles_each_file_from_its_groups() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nlock:")[2].partition("\n\n")[0]
    for name, groups in FILES.items():
        command = next(line for line in recipe.splitlines() if f"-o {name} " in line)
        assert tuple(re.findall(r"--group (\w+)", command)) == tuple(
            group for group in groups if group != "project"
        )
        assert (" pyproject.toml " in command) == ("project" in groups)


def test_the_closure_follows_extras_and_markers() -> None:
    found = installed_closure([Requirement("psycopg[binary]")])
    assert "psycopg-binary" in found
    assert "psycopg-pool" not in found
    with pytest.raises(PackageNotFoundError):
        installed_closure([Requirement("no-such-package")])
