"""Requests to Amazon's OpenSearch are signed; requests to any other OpenSearch are not."""

from products.adapters.opensearch.index import connect

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
