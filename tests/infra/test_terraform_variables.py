"""Each variable that the product reads is set by Terraform, or left to its default for a reason."""

import re

import pytest

from deploy.local.engines import ROOT
from deploy.preflight.environment import Environment
from deploy.preflight.resources import DATABASE_PARAMETER, EXPECTED_PARAMETERS
from tests.support.deployed_variables import (
    ELSEWHERE,
    secrets_of_containers,
    variables,
    variables_read,
)
from tests.support.terraform import PlannedEnvironment

pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("terraform", "terraform-offline")]

AS_ON_ONE_MACHINE = "only for one machine or for tests"
CHOICE = "its default is right; extra_environment changes it"
IMAGE = "the image or its entry point sets it"
NOT_SET = {
    "AWS_CA_BUNDLE": AS_ON_ONE_MACHINE,
    "DEBUG": AS_ON_ONE_MACHINE,
    "EMAIL_DIR": AS_ON_ONE_MACHINE,
    "LOCAL": AS_ON_ONE_MACHINE,
    "SQS_WAIT_SECONDS": AS_ON_ONE_MACHINE,
    "CONFIRM_AFTER_MINUTES": CHOICE,
    "EMAIL_USE_TLS": CHOICE,
    "ENABLE_METRICS": CHOICE,
    "HOT_ANSWER_SECONDS": CHOICE,
    "INVITATION_DAYS": CHOICE,
    "JWKS_AUDIENCE": "extra_environment; Terraform demands it with JWKS_URL",
    "JWKS_GROUPS_CLAIM": CHOICE,
    "JWKS_ISSUER": "extra_environment; Terraform demands it with JWKS_URL",
    "JWKS_URL": CHOICE,
    "LOGIN_FAILURES": CHOICE,
    "LOGIN_FAILURES_PER_ADDRESS": CHOICE,
    "LOGIN_LOCK_MINUTES": CHOICE,
    "LOG_FORMAT": CHOICE,
    "LOG_SAMPLE_READS": CHOICE,
    "RELAY_AFTER_SECONDS": CHOICE,
    "RELAY_EVERY_SECONDS": CHOICE,
    "SEARCH_ALIAS": CHOICE,
    "SESSION_HOURS": CHOICE,
    "SESSION_IDLE_HOURS": CHOICE,
    "SQL_STATEMENT_SECONDS": CHOICE,
    "STAFF_TIME_ZONE": CHOICE,
    "THROTTLE_PUBLIC": CHOICE,
    "THROTTLE_STAFF": CHOICE,
    "VERIFY_EVERY_SECONDS": CHOICE,
    "WEBSITE_PRODUCT_URL": CHOICE,
    "WEB_CONCURRENCY": CHOICE,
    "WEB_GRACEFUL_TIMEOUT": CHOICE,
    "WEB_THREADS": CHOICE,
    "WEB_WAITERS": CHOICE,
    "WORKER_CONCURRENCY": CHOICE,
    "HOST": IMAGE,
    "PORT": IMAGE,
    "QUEUES": IMAGE,
    "STATIC_ROOT": IMAGE,
    "DELETION_PROTECTION": "only validate_deployment reads it; an output of Terraform sets it",
    "SECRET_KEY_FALLBACKS": "a parameter, with people.former_secret_keys",
    "SMOKE_TOKEN": "a secret of GitHub, for validate_deployment",
}
"""The variables that no function and no container has, and why."""


def test_each_variable_is_set_or_left_out_for_a_reason(
    infrastructures: dict[str, PlannedEnvironment],
) -> None:
    """prod has everything: containers, sign-on and e-mail."""
    given = {name for found in variables(infrastructures["prod"]).values() for name in found}
    assert variables_read() - given - NOT_SET.keys() == set()
    assert NOT_SET.keys() & given == set()
    assert NOT_SET.keys() - variables_read() == set()


def test_each_variable_that_is_set_is_read(infra: PlannedEnvironment) -> None:
    known = variables_read() | ELSEWHERE.keys()
    for name, found in variables(infra).items():
        assert set(found) - known == set(), name


def test_preflight_asks_for_each_secret(infra: PlannedEnvironment) -> None:
    people = {"former_secret_keys": False, **infra.variable("people")}
    environment = Environment(infra.env, {"people": {"oidc": None, "email": None, **people}})
    expected = {name.format(env=infra.env) for name in EXPECTED_PARAMETERS}
    if infra.env != "dev":
        expected |= {DATABASE_PARAMETER.format(env=infra.env), *environment.people_parameters}
    found = {
        arn.partition(":parameter")[2]
        for arn in secrets_of_containers(infra).values()
        if ":parameter/" in arn
    }
    assert found == (expected if infra.env != "dev" else set())


def test_every_secret_is_refused_as_a_plain_setting(
    infrastructures: dict[str, PlannedEnvironment],
) -> None:
    text = (ROOT / "deploy" / "terraform" / "variables.tf").read_text()
    block = text[text.index('variable "extra_environment"') :]
    refused = set(re.findall(r'"([A-Z_]+)"', block[: block.index("error_message")]))
    assert refused == {*secrets_of_containers(infrastructures["prod"]), "SECRET_KEY_FALLBACKS"}


def test_settings_page_names_every_variable() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    known_to_aws = {"AWS_CA_BUNDLE"}
    of_the_database = {"DATABASE_ROLE", "DATABASE_ROLE_PASSWORD"}
    assert variables_read() - documented - known_to_aws - of_the_database == set()


def test_scripts_of_the_deployment_name_no_unknown_variable() -> None:
    """The output `settings` becomes variables of the commands that people run."""
    outputs = (ROOT / "deploy" / "terraform" / "outputs.tf").read_text()
    block = outputs[outputs.index('output "settings"') :]
    named = set(re.findall(r"^    ([A-Z_]+) +=", block[: block.index("\n}\n")], re.MULTILINE))
    assert named
    assert named <= variables_read()
