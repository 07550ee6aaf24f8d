"""Plan and apply our Terraform files, with an offline provider in place of AWS."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from deploy.functions import NAMES, full_name
from deploy.local.engines import ROOT
from tests.support.tools import STAND_IN

ENVIRONMENTS = ("dev", "sit", "prod")
SOURCE = ROOT / "deploy" / "terraform"
PACKAGE = {"package_key": f"products-lambda/{'0' * 64}.zip", "package_hash": f"{'A' * 43}="}
VARIABLES = {"TF_VAR_alert_emails": '["alerts@bbws.example"]'}
"""What a person must set: the variables without default that no file sets."""
LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'


@dataclass(frozen=True)
class PlannedEnvironment:
    """An environment's plan, and the state after the offline provider has "applied" it.

    ``home`` is the folder with the files, the plan and the state.
    """

    env: str
    home: Path
    plan: Mapping[str, Any]
    state: Mapping[str, Any]

    @cached_property
    def resources(self) -> list[Mapping[str, Any]]:
        return list(_resources(self.state["values"]["root_module"]))

    def of_type(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Return the values of all resources of a type, by address."""
        return {
            resource["address"]: resource["values"]
            for resource in self.resources
            if resource["type"] == kind and resource["mode"] == "managed"
        }

    def by_attribute(self, kind: str, name: str) -> dict[str, Mapping[str, Any]]:
        """Return the values of all resources of a type, by an attribute such as their name."""
        return {values[name]: values for values in self.of_type(kind).values()}

    @property
    def functions(self) -> dict[str, Mapping[str, Any]]:
        """The functions by short name."""
        found = self.by_attribute("aws_lambda_function", "function_name")
        short_names = {full_name(short, self.env): short for short in NAMES}
        return {short_names[name]: values for name, values in found.items()}

    def variable(self, name: str) -> Any:
        return self.plan["variables"][name]["value"]


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)


def run(
    *command: str | Path,
    cwd: Path,
    check: bool = True,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.CompletedProcess[str]:
    """Run a command; with ``check``, fail the test when the command fails."""
    environment = {
        **os.environ,
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
        **VARIABLES,
        **variables,
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if check and done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done


def init_root(target: Path) -> Path:
    """Copy the root module to ``target``, with a local state file, and initialise it."""
    shutil.copytree(SOURCE, target, ignore=shutil.ignore_patterns(".terraform*"))
    (target / "backend_override.tf").write_text(LOCAL_STATE)
    run(STAND_IN, "init", "-input=false", cwd=target)
    return target


def environment_arguments(env: str, **variables: str) -> list[str]:
    """Return Terraform's arguments for an environment."""
    pairs = (PACKAGE | variables).items()
    return [
        f"-var-file=environments/{env}.tfvars",
        *(f"-var={name}={value}" for name, value in pairs),
    ]


def _apply_all(folder: Path) -> None:
    root = init_root(folder / "root")
    with ThreadPoolExecutor(len(ENVIRONMENTS)) as pool:
        list(pool.map(lambda env: _apply(root, folder / env, env), ENVIRONMENTS))
    (folder / "ready").touch()


def _apply(root: Path, home: Path, env: str) -> None:
    shutil.copytree(root, home, symlinks=True)
    run(
        STAND_IN,
        "plan",
        "-input=false",
        "-lock=false",
        "-out=plan",
        *environment_arguments(env),
        cwd=home,
    )
    run(STAND_IN, "apply", "-input=false", "-lock=false", "plan", cwd=home)
    (home / "plan.json").write_text(run(STAND_IN, "show", "-json", "plan", cwd=home).stdout)
    (home / "state.json").write_text(run(STAND_IN, "show", "-json", cwd=home).stdout)


def planned_environments(shared: Path) -> dict[str, PlannedEnvironment]:
    """Return all environments; one xdist worker plans them while the others wait."""
    folder = shared / "terraform"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _apply_all(folder)
    return {env: _load(env, folder / env) for env in ENVIRONMENTS}


def _load(env: str, home: Path) -> PlannedEnvironment:
    plan = json.loads((home / "plan.json").read_text())
    state = json.loads((home / "state.json").read_text())
    return PlannedEnvironment(env, home, plan, state)


def policy(name: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Fill in a policy's template as Terraform does.

    Raise KeyError when a placeholder has no value in ``names``.
    """
    text = (SOURCE / "policies" / f"{name}.json.tftpl").read_text()
    for placeholder, value in names.items():
        text = text.replace(f"${{{placeholder}}}", value)
    if "${" in text:
        raise KeyError(text[text.index("${") :][:40])
    document: dict[str, Any] = json.loads(text)
    return document
