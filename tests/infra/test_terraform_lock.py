"""Which AWS provider is taken: one version, by its hashes, everywhere - and only that."""

import platform
import re
import shutil
from pathlib import Path

import pytest
import yaml

from deploy.local.engines import ROOT
from tests.support.terraform import SOURCE, run

FOLDERS = (SOURCE, ROOT / "deploy" / "bootstrap")
LOCK = (SOURCE / ".terraform.lock.hcl").read_text()
VERSION, CONSTRAINT = (
    re.findall(rf'^  {name} += "([^"]+)"$', LOCK, re.MULTILINE)[0]
    for name in ("version", "constraints")
)
HASHES = re.findall(r'^    "(h1|zh):(\S+)",$', LOCK, re.MULTILINE)
PLATFORMS = 15
"""For so many the registry has a zip of this provider, linux_amd64, linux_arm64 and darwin_arm64 among them."""


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_all_folders_take_the_same_version_which_is_one_that_the_files_want() -> None:
    assert {(folder / ".terraform.lock.hcl").read_text() for folder in FOLDERS} == {LOCK}
    texts = [path.read_text() for folder in FOLDERS for path in folder.rglob("*.tf")]
    wanted = {
        found
        for text in texts
        for found in re.findall(r'"hashicorp/aws"\s+version = "([^"]+)"', text)
    }
    assert wanted == {CONSTRAINT}
    least = numbers(CONSTRAINT.removeprefix("~> "))
    assert least <= numbers(VERSION) < (least[0] + 1,)


def test_it_is_known_by_a_hash_on_every_platform() -> None:
    """`zh` is what the registry signs: of the zip for each platform, and of the manifest."""
    zips = [value for kind, value in HASHES if kind == "zh"]
    assert zips == sorted(set(zips))
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in zips)
    assert len(zips) == PLATFORMS + 1
    assert [
        kind for kind, value in HASHES if kind == "h1" and re.fullmatch(r"[\w+/]{43}=", value)
    ] == ["h1"]
    assert len(LOCK.splitlines()) == 9 + len(HASHES)


def test_workflows_take_no_other() -> None:
    action = yaml.safe_load((ROOT / ".github/actions/terraform/action.yml").read_text())
    commands = [
        step["run"] for step in action["runs"]["steps"] if "terraform" in step.get("run", "")
    ]
    assert any("init -input=false -lockfile=readonly " in command for command in commands)


@pytest.mark.needs("terraform")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_terraform_refuses_another_provider_of_the_same_version(
    folder: Path, tmp_path: Path
) -> None:
    place = {"x86_64": "linux_amd64", "aarch64": "linux_arm64"}[platform.machine()]
    package = tmp_path / "mirror/registry.terraform.io/hashicorp/aws" / VERSION / place
    package.mkdir(parents=True)
    program = package / f"terraform-provider-aws_v{VERSION}"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    settings = tmp_path / "settings"
    settings.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}/mirror"\n  }}\n}}\n'
    )
    root = tmp_path / "deploy" / "terraform"
    shutil.copytree(SOURCE, root, ignore=shutil.ignore_patterns(".terraform", "tests"))
    if folder != SOURCE:
        root = tmp_path / "deploy" / folder.name
        shutil.copytree(folder, root, ignore=shutil.ignore_patterns(".terraform"))
    command = [
        "terraform",
        "init",
        "-backend=false",
        "-input=false",
        "-lockfile=readonly",
        "-no-color",
    ]
    refused = run(*command, cwd=root, check=False, TF_CLI_CONFIG_FILE=str(settings))
    assert refused.returncode != 0
    assert "doesn't match any of the checksums" in " ".join(refused.stderr.split())
