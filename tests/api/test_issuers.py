"""What other issuers' tokens say, and which key checks them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.auth.issuers import read_issuers
from app.errors import ConfigurationError, Unauthorized
from tests.support.issuer import AUDIENCE, NAME, Issuer, claims_of


def private(key: Any) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public(key: Any) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_good_token_says_who_it_speaks_for(algorithm: str, rs: Issuer, es: Issuer) -> None:
    issuer = rs if algorithm == "RS256" else es
    token = issuer.token(sub="ann", email="ann@example.org", email_verified=True, aud=["x", AUDIENCE])

    found = claims_of(token, issuer.settings())

    assert (found.issuer, found.subject, found.email) == (NAME, "ann", "ann@example.org")
    assert (found.role, found.tenant) == ("viewer", None), "nothing is given that is not configured"
    assert found.expires_at - found.issued_at == 600


FORGED: dict[str, Any] = {
    "alg none": lambda i: jwt.encode(i.claims(), None, algorithm="none"),
    "HS256 with the public key": lambda i: hs256(i, i.pem),
    "HS256 with the public key, less its last line": lambda i: hs256(i, i.pem.strip()),
    "another algorithm than the pinned": lambda i: jwt.encode(i.claims(), i.key, algorithm="RS512"),
    "PS256 with the same key": lambda i: jwt.encode(i.claims(), i.key, algorithm="PS256"),
    "wrong key": lambda i: Issuer(i.name).token(),
    "a key that it brings along": lambda i: Issuer(i.name).token({"jwk": Issuer().jwk, "kid": "one"}),
    "wrong audience": lambda i: i.token(aud="elsewhere"),
    "no audience": lambda i: i.token(aud=None),
    "expired": lambda i: i.token(exp=int(time.time()) - 60),
    "not valid yet": lambda i: i.token(nbf=int(time.time()) + 600),
    "made in the future": lambda i: i.token(iat=int(time.time()) + 600),
    "no expiry": lambda i: i.token(exp=None),
    "no time": lambda i: i.token(iat=None),
    "an expiry that is no time": lambda i: i.token(exp=10**30),
    "nobody": lambda i: i.token(sub=None),
    "an empty subject": lambda i: i.token(sub=""),
    "NUL in the subject": lambda i: i.token(sub="a\0b"),
    "a subject of two lines": lambda i: i.token(sub="a\nb"),
    "a long subject": lambda i: i.token(sub="a" * 256),
}


def hs256(issuer: Issuer, key: str) -> str:
    """PyJWT refuses to make one, so by hand."""

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    head = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(issuer.claims())
    signature = hmac.new(key.encode(), head, hashlib.sha256).digest()
    return (head + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@pytest.mark.parametrize("name", FORGED)
def test_15_a_forged_token_of_another_issuer_is_refused(rs: Issuer, name: str) -> None:
    token = FORGED[name](rs)
    issuer = read_issuers(json.dumps([rs.settings()]), plain_http=False).of(token)

    assert issuer
    with pytest.raises(Unauthorized):
        issuer.verify(token)


def test_whose_token_it_is_decides_which_key_checks_it(rs: Issuer, es: Issuer) -> None:
    issuers = read_issuers(json.dumps([rs.settings(), es.settings(issuer="two")]), plain_http=False)

    assert issuers.of(rs.token(iss="unknown")) is None
    assert issuers.of("garbage") is None
    assert issuers.of(rs.token(iss=None)) is None
    crossed = issuers.of(rs.token(iss="two"))
    assert crossed
    with pytest.raises(Unauthorized):
        crossed.verify(rs.token(iss="two"))


def test_a_role_comes_from_the_configuration_and_no_claim_makes_more_of_it(rs: Issuer) -> None:
    settings = rs.settings(
        role_claim="realm_access.roles", roles={"boss": "admin", "ops": "operator", "bot": "worker"}
    )

    def role(value: Any, settings: dict[str, Any] = settings) -> str:
        return claims_of(
            rs.token(realm_access={"roles": value}, roles=["admin"], role="admin"), settings
        ).role

    assert role(["ops", "x"]) == role("ops") == "operator"
    assert role(["bot", "ops", "boss"]) == "admin", "the first of the configuration, not of the token"
    for none in (["admin"], [], None, {"ops": 1}.get("x"), [7, None]):
        assert role(none) == "viewer"
    assert role("admin", rs.settings()) == "viewer"
    assert role("x", rs.settings(role="operator")) == "operator"


def test_a_claim_of_a_tenant_left_out_makes_nobody_an_admin_of_more(rs: Issuer) -> None:
    settings = rs.settings(role="admin", tenant_claim="org")

    assert (
        claims_of(rs.token(org="acme"), settings).role,
        claims_of(rs.token(org="acme"), settings).tenant,
    ) == (
        "admin",
        "acme",
    )
    assert (claims_of(rs.token(), settings).role, claims_of(rs.token(), settings).tenant) == (
        "operator",
        None,
    )
    assert claims_of(rs.token(), rs.settings(role="admin")).role == "admin", "where there are no tenants"


def test_a_tenant_comes_from_a_claim_or_is_the_issuers(rs: Issuer) -> None:
    by_claim = rs.settings(tenant_claim="https://example.org/org")

    assert claims_of(rs.token(**{"https://example.org/org": " acme "}), by_claim).tenant == "acme"
    assert claims_of(rs.token(), by_claim).tenant is None
    assert claims_of(rs.token(**{"https://example.org/org": ""}), by_claim).tenant is None
    assert claims_of(rs.token(tenant="other"), rs.settings(tenant="acme")).tenant == "acme"
    for bad in (7, ["acme"], "x" * 129, "a\nb"):
        with pytest.raises(Unauthorized):
            claims_of(rs.token(**{"https://example.org/org": bad}), by_claim)


def test_tokens_of_one_sign_in_that_say_the_same_are_one_session(rs: Issuer) -> None:
    settings = rs.settings(role_claim="roles", roles={"ops": "operator"})

    def session(**claims: Any) -> str:
        return claims_of(rs.token(sub="ann", **claims), settings).session

    assert session(sid="s", jti="1") == session(sid="s", jti="2")
    assert session(jti="1") == session(jti="1", exp=int(time.time()) + 60)
    different = [session(sid="s"), session(sid="t"), session(jti="s"), session(sid="s", roles=["ops"])]
    different += [session(jti=None, n=n) for n in range(2)]
    assert len(set(different)) == len(different)


def test_the_setting_may_be_a_file_and_nothing_lets_nobody_in(rs: Issuer, tmp_path: Path) -> None:
    path = tmp_path / "issuers.json"
    path.write_text(json.dumps([rs.settings()]))

    assert read_issuers(str(path), plain_http=False).of(rs.token())
    assert len(read_issuers(" ", plain_http=False)) == 0
    assert len(read_issuers("[]", plain_http=False)) == 0


WRONG: dict[str, tuple[Any, str]] = {
    "not JSON": ("[{", "neither a JSON list"),
    "no such file": ("/does/not/exist.json", "neither a JSON list"),
    "no object": (["x"], "[0]"),
    "unknown word": ({"audiense": "x"}, "audiense"),
    "no audience": ({"audience": None}, "audience"),
    "HS256": ({"algorithm": "HS256"}, "algorithm"),
    "none": ({"algorithm": "none"}, "algorithm"),
    "no key": ({"public_key": None}, "public_key"),
    "two kinds of keys": ({"jwks_url": "https://x.example/keys"}, "public_key"),
    "a key of another kind": ({"algorithm": "ES256"}, "P-256"),
    "a private key": ({"public_key": private(rsa.generate_private_key(65537, 2048))}, "public_key"),
    "a short key": ({"public_key": public(rsa.generate_private_key(65537, 1024))}, "1024 bits"),
    "another curve": (
        {"algorithm": "ES256", "public_key": public(ec.generate_private_key(ec.SECP384R1()))},
        "P-256",
    ),
    "no PEM": ({"public_key": "hello"}, "public_key"),
    "keys without TLS": ({"public_key": None, "jwks_url": "http://x.example/keys"}, "https"),
    "keys in a file": ({"public_key": None, "jwks_url": "file:///etc/passwd"}, "https"),
    "unknown role": ({"role": "root"}, "role"),
    "roles without a claim": ({"roles": {"a": "viewer"}}, "role_claim"),
    "roles to nowhere": ({"role_claim": "r", "roles": {"a": "root"}}, "roles"),
    "two tenants": ({"tenant": "a", "tenant_claim": "b"}, "tenant"),
    "our own name": ({"issuer": "taskroom"}, "issuer"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_configured_wrongly_is_one_line_that_names_it(rs: Issuer, name: str) -> None:
    wrong, named = WRONG[name]
    if isinstance(wrong, dict):
        wrong = [{k: v for k, v in (rs.settings() | wrong).items() if v is not None}]

    with pytest.raises(ConfigurationError) as error:
        read_issuers(wrong if isinstance(wrong, str) else json.dumps(wrong), plain_http=False)

    assert named in str(error.value) and "\n" not in str(error.value)
    assert "TASKROOM_ISSUERS" in str(error.value)


def test_an_issuer_is_listed_once(rs: Issuer) -> None:
    with pytest.raises(ConfigurationError, match=r"\[1\] issuer: .* twice"):
        read_issuers(json.dumps([rs.settings(), rs.settings(audience="y")]), plain_http=False)
