"""The lock files pin one version of the AWS provider, by its hashes."""

import platform
import re
import shutil
from pathlib import Path

import pytest
import yaml

from deploy.local.engines import ROOT
from tests.support.terraform import SOURCE, run

FOLDERS = (SOURCE, ROOT / "deploy" / "bootstrap", ROOT / "deploy" / "backups")
LOCK = (SOURCE / ".terraform.lock.hcl").read_text()
VERSION, CONSTRAINT = (
    re.findall(rf'^  {name} += "([^"]+)"$', LOCK, re.MULTILINE)[0]
    for name in ("version", "constraints")
)
HASHES = re.findall(r'^    "(h1|zh):(\S+)",$', LOCK, re.MULTILINE)
PLATFORMS = 15
"""The number of platforms for which the registry has a zip of this provider."""


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_all_folders_lock_the_same_allowed_version() -> None:
    assert {(folder / ".terraform.lock.hcl").read_text() for folder in FOLDERS} == {LOCK}
    texts = [path.read_text() for folder in FOLDERS for path in folder.rglob("*.tf")]
    constraints = re.findall(r'"hashicorp/aws"\s+version = "([^"]+)"', "\n".join(texts))
    assert set(constraints) == {CONSTRAINT}
    minimum = numbers(CONSTRAINT.removeprefix("~> "))
    assert minimum <= numbers(VERSION) < (minimum[0] + 1,)


def test_lock_has_a_hash_for_every_platform() -> None:
    """The registry signs the `zh` hashes: of the zip for each platform, and of the manifest."""
    zips = [value for kind, value in HASHES if kind == "zh"]
    assert zips == sorted(set(zips))
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in zips)
    assert len(zips) == PLATFORMS + 1
    [h1] = [value for kind, value in HASHES if kind == "h1"]
    assert re.fullmatch(r"[\w+/]{43}=", h1)
    assert len(LOCK.splitlines()) == 9 + len(HASHES)


def test_every_root_is_locked_validated_and_updated() -> None:
    names = {
        str(path.parent.relative_to(ROOT))
        for path in ROOT.glob("deploy/**/*.tf")
        if re.search('^provider "aws"', path.read_text(), re.MULTILINE)
    }
    assert names == {str(folder.relative_to(ROOT)) for folder in FOLDERS}
    steps = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    scripts = " ".join(step.get("run", "") for step in steps["infrastructure"]["steps"])
    [folders] = re.findall(r"for folder in ([^;]+);", scripts)
    assert set(folders.split()) == names
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    [terraform] = [part for part in updates if part["package-ecosystem"] == "terraform"]
    assert {folder.strip("/") for folder in terraform["directories"]} == names


def test_workflows_do_not_change_the_lock() -> None:
    action = yaml.safe_load((ROOT / ".github/actions/terraform/action.yml").read_text())
    scripts = [step.get("run", "") for step in action["runs"]["steps"]]
    assert any("init -input=false -lockfile=readonly " in script for script in scripts)


@pytest.mark.needs("terraform")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_terraform_refuses_another_provider_of_the_same_version(
    folder: Path, tmp_path: Path
) -> None:
    own_platform = {"x86_64": "linux_amd64", "aarch64": "linux_arm64"}[platform.machine()]
    package = tmp_path / "mirror/registry.terraform.io/hashicorp/aws" / VERSION / own_platform
    package.mkdir(parents=True)
    program = package / f"terraform-provider-aws_v{VERSION}"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    settings = tmp_path / "settings"
    mirror = f'filesystem_mirror {{\n    path = "{tmp_path}/mirror"\n  }}'
    settings.write_text(f"provider_installation {{\n  {mirror}\n}}\n")
    root = tmp_path / "deploy" / "terraform"
    shutil.copytree(SOURCE, root, ignore=shutil.ignore_patterns(".terraform", "tests"))
    if folder != SOURCE:
        root = tmp_path / "deploy" / folder.name
        shutil.copytree(folder, root, ignore=shutil.ignore_patterns(".terraform"))
    options = ["-backend=false", "-input=false", "-lockfile=readonly", "-no-color"]
    variables = {"TF_CLI_CONFIG_FILE": str(settings)}
    refused = run("terraform", "init", *options, cwd=root, check=False, variables=variables)
    assert refused.returncode != 0
    assert "doesn't match any of the checksums" in " ".join(refused.stderr.split())
