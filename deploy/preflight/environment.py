"""The values of an environment that the checks compare with the account, from its tfvars."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TERRAFORM = Path(__file__).resolve().parents[1] / "terraform"


@dataclass(frozen=True)
class Environment:
    """An environment's variables, as Terraform would use them."""

    name: str
    variables: Mapping[str, Any]

    @property
    def account(self) -> str:
        return str(self.variables["account_id"])

    @property
    def region(self) -> str:
        return str(self.variables["region"])

    @property
    def containers(self) -> Mapping[str, Any]:
        """The settings of the containers; empty where there are none."""
        return self.variables["containers"] or {} if self.variables["enable_containers"] else {}

    @property
    def buckets(self) -> tuple[str, ...]:
        """The buckets that Terraform creates."""
        ending = f"-{self.account}" if self.variables["append_account_id"] else ""
        audit = self.variables["audit_bucket"] or f"bbws-product-audit-logs-{self.name}{ending}"
        return (
            audit,
            f"bbws-product-media-{self.name}-{self.account}",
            f"bbws-product-logs-{self.name}-{self.account}",
        )

    @property
    def people_parameters(self) -> tuple[str, ...]:
        """The secrets of the sign-on and of the mail server, which only containers have."""
        people = self.variables["people"]
        expected = {
            "OIDC_CLIENT_SECRET": people["oidc"],
            "EMAIL_HOST_PASSWORD": (people["email"] or {}).get("user"),
            "SECRET_KEY_FALLBACKS": people["former_secret_keys"],
        }
        names = [name for name, is_expected in expected.items() if is_expected]
        return tuple(f"/bbws-products-people/{self.name}/{name}" for name in names)

    @property
    def state_bucket(self) -> str:
        """The bucket of Terraform's state, from the backend's file."""
        text = (TERRAFORM / "environments" / f"{self.name}.tfbackend").read_text()
        found = re.search(r'^bucket\s*=\s*"([^"]+)"', text, re.MULTILINE)
        if not found:
            raise ValueError(f"There is no bucket in {self.name}.tfbackend.")
        return found[1]


NAMES = (
    "account_id",
    "region",
    "alert_emails",
    "append_account_id",
    "audit_bucket",
    "account_concurrency",
    "consumers",
    "consumer_concurrency",
    "enable_opensearch",
    "opensearch",
    "enable_containers",
    "containers",
    "api_domain",
    "cors_allowed_origins",
    "restored_table",
    "people",
    "backup_vault_arn",
)
"""The variables that the checks need."""


def load(name: str) -> Environment:
    """Return an environment's variables with their defaults. Needs no account and no state.

    Raise ValueError when Terraform refuses a value or lacks one; its message says which.
    """
    values = ", ".join(f"{variable} = var.{variable}" for variable in NAMES)
    digest = "0" * 64
    arguments = [
        f"-var-file={TERRAFORM}/environments/{name}.tfvars",
        f"-var=package_key=products-lambda/{digest}.zip",
        f"-var=package_hash={'A' * 43}=",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for file_name in ("variables.tf", "functions.tf"):
            shutil.copy(TERRAFORM / file_name, folder)
        done = subprocess.run(  # noqa: S603 # the arguments are our own
            ["terraform", "console", *arguments],  # noqa: S607 # from the operator's PATH
            cwd=folder,
            input=f"jsonencode({{ {values} }})",
            env=os.environ | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith('"')]
    if done.returncode or not lines:
        raise ValueError(
            f"Terraform can't evaluate {name}.tfvars. Is TF_VAR_alert_emails set, "
            f"""e.g. to '["alerts@your.domain"]'?\n{done.stderr.strip()}"""
        )
    return Environment(name, json.loads(json.loads(lines[-1])))
