"""Requests to Amazon's OpenSearch are signed; requests to any other OpenSearch are not."""

from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore.credentials import RefreshableCredentials

from products import bootstrap
from products.adapters.opensearch import index
from products.adapters.opensearch.index import OpenSearchIndex, connect
from products.errors import DependencyUnavailable
from tests.gameday.fault_proxy import PASS, Action, Proxy, Request
from tests.plugin import search_address
from tests.support.world import World

DOMAIN = "https://search-bbws-products-prod-x.af-south-1.es.amazonaws.com"


def test_requests_to_an_amazon_domain_are_signed_for_its_region() -> None:
    connection = connect(f"{DOMAIN}:443").transport.get_connection()
    headers = connection.http_auth("POST", f"{DOMAIN}/_bulk", b"{}")
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=")
    assert "/af-south-1/es/aws4_request" in headers["Authorization"]


def test_other_requests_are_not_signed() -> None:
    for url in ("http://127.0.0.1:9200", "https://es.amazonaws.com.example.com:443"):
        assert connect(url).transport.get_connection().http_auth is None


def test_a_password_in_the_url_is_sent() -> None:
    connection = connect("https://ann:secret@search.example.com:443").transport.get_connection()
    assert connection.headers["authorization"].startswith("Basic ")


class ShortLivedCredentials:
    """Temporary credentials that are renewed for each request, because each soon expires."""

    def __init__(self) -> None:
        self.count = 0

    def issue(self) -> dict[str, str]:
        self.count += 1
        expiry = bootstrap.now() + timedelta(seconds=1)
        return {
            "access_key": f"KEY{self.count}",
            "secret_key": "secret",
            "token": f"token-{self.count}",
            "expiry_time": expiry.isoformat(),
        }

    def get_credentials(self) -> Any:
        return RefreshableCredentials.create_from_metadata(self.issue(), self.issue, "assume-role")


def test_expired_credentials_are_renewed_before_the_next_request(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = ShortLivedCredentials()
    monkeypatch.setattr(botocore.session, "get_session", lambda: issued)
    signer = connect(f"{DOMAIN}:443").transport.get_connection().http_auth
    monkeypatch.setattr(index, "_signer", lambda url: signer)
    domain = Proxy(search_address(world.engines))

    def accept_newest(request: Request) -> Action:
        headers = {name.lower(): value for name, value in request.headers}
        is_newest = f"Credential=KEY{issued.count}/" in headers["authorization"]
        has_token = headers["x-amz-security-token"] == f"token-{issued.count}"
        return PASS if is_newest and has_token and not refusals else 403

    refusals: list[None] = []
    domain.fault = accept_newest
    search = OpenSearchIndex(connect(domain.url), world.alias)
    try:
        search.ping()
        used = issued.count
        search.ping()
        assert issued.count > used
        refusals.append(None)
        with pytest.raises(DependencyUnavailable, match="does not serve us"):
            search.ping()
        refusals.clear()
        search.ping()
    finally:
        domain.close()
