"""An OpenID Connect issuer: discovery, keys, tokens and user information, on a local port.

A test logs a person in at the issuer, and may spoil any claim or the signature.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "catalogue", "a-secret-of-the-tests"


@dataclass
class OidcIssuer:
    """A running issuer. ``claims`` change the next identity token."""

    url: str = ""
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    claims: dict[str, Any] = field(default_factory=dict)
    user_info: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signing_key: Any = None
    config: dict[str, Any] = field(default_factory=dict)
    waiting: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, address: str) -> str:
        """Log the person in at this address, which the product led to. Return the way back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_hex(8)
        self.waiting[code] = asked
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def answer_for(self, path: str, sent: dict[str, str]) -> dict[str, Any]:
        """Return the answer of an address."""
        if path == "/.well-known/openid-configuration":
            return self.configuration()
        if path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            return {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}
        if path == "/userinfo":
            return self.user_info
        return self.tokens(sent)

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        } | self.config

    def tokens(self, sent: dict[str, str]) -> dict[str, Any]:
        """Return the tokens for a code, whose challenge must belong to the verifier."""
        asked = self.waiting.pop(sent["code"])
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert challenge == asked["code_challenge"]
        assert sent["client_secret"] == CLIENT_SECRET
        return {"access_token": "access", "token_type": "Bearer", "id_token": self.id_token()}

    def id_token(self) -> str:
        now = datetime.now(UTC)
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": "person-1",
            "iat": now,
            "exp": now + timedelta(minutes=5),
            "email": "ann@example.com",
            "email_verified": True,
        } | self.claims
        kept = {name: value for name, value in claims.items() if value is not None}
        key: Any = None if self.algorithm == "none" else self.signing_key or self.key
        return jwt.encode(kept, key, algorithm=self.algorithm, headers={"kid": "k1"})


@contextmanager
def running_oidc_issuer() -> Iterator[OidcIssuer]:
    """Run an issuer on a local port."""
    issuer = OidcIssuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer({name: values[0] for name, values in parse_qs(body).items()})

        def answer(self, sent: dict[str, str]) -> None:
            content = json.dumps(issuer.answer_for(urlsplit(self.path).path, sent)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield issuer
    server.shutdown()
    server.server_close()
