"""A start without its secrets fails with one sentence; test_stack reads real ones."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from bbws_products.settings.secrets import fill_environment
from deploy.local.engines import free_port


def test_unreadable_secrets_fail_the_start_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(
        ImproperlyConfigured,
        match=r"below /bbws/ \(SECRETS_SSM_PREFIX\) can't be read: Could not connect",
    ):
        fill_environment("/bbws/")
