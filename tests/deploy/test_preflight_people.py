"""The checks before a plan of how staff log in: secrets, issuer, e-mails."""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.engines import free_port
from deploy.preflight.environment import Environment
from deploy.preflight.results import Result
from tests.support.oidc_issuer import OidcIssuer, running_oidc_issuer
from tests.support.prepared_account import ENVIRONMENT, PARAMETERS, results

EMAIL = {"host": "email-smtp.eu-west-1.amazonaws.com", "from": "shop@bbws.example", "user": "u"}
SECRETS = [
    {"Name": f"/bbws-products-people/prod/{name}", "Type": "SecureString"}
    for name in ("OIDC_CLIENT_SECRET", "EMAIL_HOST_PASSWORD", "SECRET_KEY_FALLBACKS")
]
READY = {
    "ssm__describe_parameters": {"Parameters": [*PARAMETERS, *SECRETS]},
    "sesv2__get_email_identity": {"VerifiedForSendingStatus": True},
    "sesv2__get_account": {"ProductionAccessEnabled": True},
}
"""What AWS answers when sign-on and e-mail are prepared."""


@pytest.fixture
def running() -> Iterator[OidcIssuer]:
    with running_oidc_issuer() as started:
        yield started


@pytest.fixture
def issuer(running: OidcIssuer) -> str:
    return running.url


def advice(people: dict[str, Any], **answers: Any) -> dict[str, str]:
    """Return the advice by subject when people log in like this."""
    of_people = ENVIRONMENT.variables["people"] | people
    environment = Environment("prod", {**ENVIRONMENT.variables, "people": of_people})
    found: list[Result] = results(environment, **(READY | answers))
    assert all(result.found.endswith(".") for result in found)
    return {result.subject: result.advice for result in found if result.advice}


def test_prepared_sign_on_and_email_pass(issuer: str) -> None:
    oidc = {"issuer": issuer}
    assert advice({"oidc": oidc, "email": EMAIL, "former_secret_keys": True}) == {}
    assert advice({"email": {"host": "mail.bbws.example", "from": "a@b", "user": ""}}) == {}


def test_each_secret_of_people_is_asked_for(issuer: str) -> None:
    people = {"oidc": {"issuer": issuer}, "email": EMAIL, "former_secret_keys": True}
    missing = advice(people, ssm__describe_parameters={"Parameters": PARAMETERS})
    assert missing == {
        secret["Name"]: f"Run `deploy/keys.sh prod {secret['Name'].rpartition('/')[2]}`."
        for secret in SECRETS
    }


def test_issuer_with_another_name_or_no_answer_is_refused(running: OidcIssuer) -> None:
    running.config["issuer"] = "https://login.bbws.example"
    assert advice({"oidc": {"issuer": running.url}}) == {
        "sign-on": 'Set people.oidc.issuer = "https://login.bbws.example".'
    }
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert advice({"oidc": {"issuer": nowhere}}).keys() == {"sign-on"}


def test_unverified_sender_fails_and_a_sandbox_warns() -> None:
    unverified = advice({"email": EMAIL}, sesv2__get_email_identity="NotFoundException")
    assert unverified == {"sender of e-mails": "Verify its domain in SES in eu-west-1."}
    sandbox = advice({"email": EMAIL}, sesv2__get_account={"ProductionAccessEnabled": False})
    assert "production access" in sandbox["e-mail"]


def test_admin_without_second_factors_is_warned_of() -> None:
    assert "everybody" in advice({"second_factor_for": []})["logins"]
