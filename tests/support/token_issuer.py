"""A token issuer like Cognito: serves its public keys (JWKS) and signs tokens."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER, AUDIENCE = "https://issuer.example", "portal"


@dataclass(frozen=True)
class Issuer:
    """A running issuer: the URL of its keys, and its private key."""

    url: str
    key: rsa.RSAPrivateKey

    def token(self, **changes: Any) -> str:
        """Return a token that is valid but for the given claims."""
        claims = {
            "sub": "123",
            "username": "zoe",
            "iss": ISSUER,
            "aud": AUDIENCE,
            "exp": datetime.now(UTC) + timedelta(minutes=5),
            "cognito:groups": ["Product editors", "Unknown group"],
        }
        return jwt.encode(claims | changes, self.key, algorithm="RS256", headers={"kid": "k1"})


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """Run an issuer on a local port."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())) | {
        "kid": "k1",
        "use": "sig",
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": [public]}).encode())

        def log_message(self, *args: Any) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield Issuer(f"http://127.0.0.1:{server.server_address[1]}/jwks.json", key)
    server.shutdown()
    server.server_close()
