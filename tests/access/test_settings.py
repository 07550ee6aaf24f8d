"""The start refuses half a configuration of people: sign-on, second factors and e-mail."""

import pytest

from tests.support.startup import start

OIDC = {"OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "y"}
SECURE = {"LOCAL": "0"}


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_ID is not set"),
        (OIDC | {"OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET is not set"),
        ({"OIDC_CLIENT_ID": "x"}, "OIDC_CLIENT_ID is set, but OIDC_ISSUER is not"),
        (OIDC | {"OIDC_GROUPS": "a=Product editors"}, "belong together"),
        (OIDC | {"OIDC_GROUPS_CLAIM": "groups", "OIDC_GROUPS": "a"}, "belong together"),
        (OIDC | SECURE | {"OIDC_ISSUER": "http://id.example"}, "must begin with https://"),
        ({"SECOND_FACTOR_FOR": "superusers"}, "SECOND_FACTOR_FOR takes permissions"),
        ({"EMAIL_HOST": "mail.example"}, "EMAIL_FROM is not set"),
        ({"EMAIL_HOST": "m", "EMAIL_FROM": "a@b.c", "EMAIL_HOST_USER": "u"}, "belong together"),
        ({"EMAIL_HOST_USER": "u"}, "of no use without EMAIL_HOST"),
        (SECURE | {"EMAIL_DIR": "/tmp/mails"}, "EMAIL_DIR is for one machine"),
    ],
)
def test_half_a_configuration_ends_the_start(variables: dict[str, str], sentence: str) -> None:
    process = start(**variables)
    assert process.returncode != 0
    assert sentence in process.stderr


def test_a_whole_configuration_starts() -> None:
    mail = {"EMAIL_HOST": "m", "EMAIL_FROM": "a@b.c", "EMAIL_HOST_USER": "u"}
    groups = {"OIDC_GROUPS_CLAIM": "groups", "OIDC_GROUPS": "a=Product editors,b=Product admins"}
    process = start(**OIDC, **SECURE, **mail, EMAIL_HOST_PASSWORD="p", **groups)
    assert (process.stdout, process.returncode) == ("started\n", 0), process.stderr
