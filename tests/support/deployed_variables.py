"""The environment variables that the product reads, and those that Terraform sets."""

import ast
import json
import re
from collections.abc import Iterator

from deploy.local.engines import ROOT
from tests.support.terraform import PlannedEnvironment

READERS = {"required", "flag", "number", "text_list", "getenv"}
"""Functions whose first argument is the name of a variable, besides ``os.environ.get``."""
ELSEWHERE = {
    "AWS_DEFAULT_REGION": "boto3 and kombu",
    "AWS_REGION": "boto3",
    "DJANGO_SETTINGS_MODULE": "Django",
    "PGPASSWORD": "PostgreSQL's client library",
}
"""Variables that libraries read."""


def variables(infra: PlannedEnvironment) -> dict[str, dict[str, str]]:
    """Return the environment variables of each function and container, with made-up secrets."""
    found = {
        name: dict(function["environment"][0]["variables"])
        for name, function in infra.functions.items()
    }
    for task in infra.of_type("aws_ecs_task_definition").values():
        [container] = json.loads(task["container_definitions"])
        plain = {pair["name"]: pair["value"] for pair in container["environment"]}
        secret = {pair["name"]: f"{pair['name']:x<40}" for pair in container["secrets"]}
        found[task["family"]] = plain | secret
    return found


def secrets_of_containers(infra: PlannedEnvironment) -> dict[str, str]:
    """Return where the secrets of containers come from, by variable."""
    return {
        pair["name"]: pair["valueFrom"]
        for task in infra.of_type("aws_ecs_task_definition").values()
        for pair in json.loads(task["container_definitions"])[0]["secrets"]
    }


def variables_read() -> set[str]:
    """Return each variable that our code and the image's entry point read."""
    folders = ("bbws_products", "products", "tasks")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    found = {name for path in paths for name in _read_in(ast.parse(path.read_text()))}
    script = (ROOT / "deploy" / "entrypoint.sh").read_text()
    return found | set(re.findall(r"\$\{([A-Z][A-Z_]+):", script))


def _read_in(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                called = getattr(function, "id", getattr(function, "attr", ""))
                if called in READERS or (called in {"get", "pop"} and _is_environ(function)):
                    yield name
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
                if ast.unparse(value) == "os.environ":
                    yield name


def _is_environ(function: ast.expr) -> bool:
    return ast.unparse(function).startswith("os.environ.")
