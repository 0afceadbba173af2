"""An issuer of tokens: its keys, its tokens, and a server for its public keys."""

from __future__ import annotations

import json
import ssl
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from app.auth.issuers import TokenClaims, read_issuers

NAME, AUDIENCE = "https://id.example.org/", "taskroom-api"


class Issuer:
    def __init__(self, name: str = NAME, algorithm: str = "RS256", kid: str | None = "one") -> None:
        self.name, self.algorithm, self.kid = name, algorithm, kid
        self.key: Any = (
            rsa.generate_private_key(65537, 2048)
            if algorithm == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )

    @property
    def pem(self) -> str:
        return (
            self.key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    @property
    def jwk(self) -> dict[str, Any]:
        kind = RSAAlgorithm if self.algorithm == "RS256" else ECAlgorithm
        found = kind.to_jwk(self.key.public_key(), as_dict=True)
        return found | {"use": "sig", "alg": self.algorithm} | ({"kid": self.kid} if self.kid else {})

    def settings(self, **more: Any) -> dict[str, Any]:
        settings = {"issuer": self.name, "audience": AUDIENCE, "algorithm": self.algorithm} | more
        return settings if "jwks_url" in settings else {"public_key": self.pem} | settings

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Returns claims about a new user unless ``sub`` is given; None removes a claim."""
        now = int(time.time())
        claims = {"iss": self.name, "aud": AUDIENCE, "sub": uuid.uuid4().hex, "iat": now, "exp": now + 600}
        return {k: v for k, v in (claims | {"jti": uuid.uuid4().hex} | changes).items() if v is not None}

    def token(self, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        headers = ({"kid": self.kid} if self.kid else {}) if headers is None else headers
        return jwt.encode(self.claims(**changes), self.key, algorithm=self.algorithm, headers=headers)


class KeySet:
    """Serves public keys at ``url``. ``asked`` counts the requests; ``answer`` is the body. While ``gate`` is cleared a
    request waits; ``close`` fails when a request waited for a minute. ``tls`` has the PEM files of certificate and
    key."""

    def __init__(self, *keys: dict[str, Any], tls: tuple[Path, Path] | None = None) -> None:
        self.asked = 0
        self.answer = b""
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()
        self.kept_waiting = False
        self.hold(*keys)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                outer.kept_waiting |= not outer.gate.wait(60)
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.answer)))
                self.end_headers()
                self.wfile.write(outer.answer)

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if tls:
            context, scheme = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "https"
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}/keys"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def hold(self, *keys: dict[str, Any]) -> None:
        self.answer = json.dumps({"keys": list(keys)}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        assert not self.kept_waiting, "the gate stayed closed for a minute"


def claims_of(token: str, settings: dict[str, Any]) -> TokenClaims:
    issuer = read_issuers(json.dumps([settings]), plain_http=True).of(token)
    assert issuer
    return issuer.verify(token)
