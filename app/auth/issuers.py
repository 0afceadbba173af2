"""Other token issuers that are trusted: their settings, their keys, and the mapping of their claims."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import marshmallow as ma

from app.auth.jwks import FetchedKeys, FixedKey, Keys
from app.auth.principal import LONGEST_TENANT, ROLES, tenant_of
from app.errors import ConfigurationError, Unauthorized

ALGORITHMS = ("RS256", "ES256")
LATEST = 2.0**33  # a time in the year 2242: Postgres takes any before it
SKEW_SECONDS = 10.0  # clocks of machines differ; our own check of the expiry has no leeway
# Sign-outs stay in memory for the lifetime of most tokens; for tokens that live longer, each request reads Postgres.
REMEMBERED_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """The claims of a token, mapped to local terms. ``session`` is the same for all tokens of a sign-in with the same
    claims. Times are in epoch seconds."""

    issuer: str
    subject: str
    email: str
    role: str
    tenant: str | None
    session: str
    issued_at: float
    expires_at: float


class IssuerSchema(ma.Schema):
    issuer = ma.fields.String(required=True, validate=ma.validate.Length(1, 255))
    audience = ma.fields.String(required=True, validate=ma.validate.Length(1, 255))
    algorithm = ma.fields.String(required=True, validate=ma.validate.OneOf(ALGORITHMS))
    public_key = ma.fields.String()
    jwks_url = ma.fields.String()
    email_verified = ma.fields.Boolean(load_default=False)
    role = ma.fields.String(load_default="viewer", validate=ma.validate.OneOf(ROLES))
    role_claim = ma.fields.String(validate=ma.validate.Length(1, 255))
    roles = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.String(validate=ma.validate.OneOf(ROLES))
    )
    tenant = ma.fields.String(validate=ma.validate.Length(1, LONGEST_TENANT))
    tenant_claim = ma.fields.String(validate=ma.validate.Length(1, 255))

    @ma.validates_schema
    def whole(self, data: dict[str, Any], **_: Any) -> None:
        if ("public_key" in data) == ("jwks_url" in data):
            raise ma.ValidationError("Set public_key or jwks_url.", "public_key")
        if ("role_claim" in data) != ("roles" in data):
            raise ma.ValidationError("Set role_claim and roles, or neither.", "role_claim")
        if "tenant" in data and "tenant_claim" in data:
            raise ma.ValidationError("Set tenant or tenant_claim.", "tenant")
        if data["issuer"] == "taskroom":
            raise ma.ValidationError("This is the issuer of our own tokens.", "issuer")


class Issuer:
    """``settings`` are as IssuerSchema has them."""

    def __init__(self, settings: Mapping[str, Any], keys: Keys) -> None:
        self.name: str = settings["issuer"]
        self._settings, self._keys = settings, keys

    def wait_for_keys(self, token: str) -> None:
        """Fetches the key that the token names, if it is not known: ``verify`` then waits for nothing."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except jwt.PyJWTError:
            return  # ``verify`` refuses the token
        self._keys.wait(kid)

    def verify(self, token: str) -> TokenClaims:
        """Verifies a token and returns its claims. Raises Unauthorized; Unavailable when the issuer's keys are."""
        try:
            key = self._keys.key(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise Unauthorized("The token is signed with a key that its issuer does not publish")
            claims = jwt.decode(
                token,
                key,
                algorithms=[self._settings["algorithm"]],  # pinned: a token must not choose its algorithm
                audience=self._settings["audience"],
                issuer=self.name,
                leeway=SKEW_SECONDS,
                options={"require": ["iss", "aud", "sub", "iat", "exp"]},
            )
            return self._mapped(claims, token)
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError, OverflowError):
            raise Unauthorized("The token is missing, expired or not valid") from None

    def _mapped(self, claims: Mapping[str, Any], token: str) -> TokenClaims:
        """Maps the claims. Raises ValueError or TypeError for invalid claims."""
        settings = self._settings
        tenant = settings.get("tenant")
        if "tenant_claim" in settings:
            given = _claim(claims, settings["tenant_claim"])
            tenant = tenant_of(_text(given)) if given is not None else None
        subject = _text(claims["sub"])
        if not subject:
            raise ValueError("the subject is empty")
        issued_at, expires_at = float(claims["iat"]), float(claims["exp"])
        if not 0 < issued_at < expires_at < LATEST:
            raise ValueError("the times are not valid")
        email = claims.get("email")
        # An address that is not verified may belong to another person.
        verified = settings["email_verified"] or claims.get("email_verified") in (True, "true")
        email = _text(email) if verified and isinstance(email, str) and email else subject
        role = self._role(claims)
        if role == "admin" and tenant is None and "tenant_claim" in settings:
            role = "operator"  # a missing tenant claim must not make an admin of all tenants
        # Has all fields whose change ends the sessions (by a trigger): tokens with the new values must get a new
        # session.
        session = [_sign_in(claims, token), email, role, tenant]
        return TokenClaims(
            *(self.name, subject, email, role, tenant, json.dumps(session)), issued_at, expires_at
        )

    def _role(self, claims: Mapping[str, Any]) -> str:
        """Returns the first of ``roles`` that the token has: a claim gives no role that the settings do not list."""
        has = _claim(claims, self._settings["role_claim"]) if "role_claim" in self._settings else None
        names = {has} if isinstance(has, str) else {n for n in has or () if isinstance(n, str)}
        allowed: dict[str, str] = self._settings.get("roles", {})
        return next((role for name, role in allowed.items() if name in names), self._settings["role"])


class Issuers(dict[str, Issuer]):
    """The trusted issuers, by name."""

    def of(self, token: str) -> Issuer | None:
        """Returns the issuer that the token names; None for our tokens and unreadable ones."""
        if not self:
            return None
        try:
            name = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return self.get(name) if isinstance(name, str) else None


def read_issuers(setting: str, plain_http: bool) -> Issuers:
    """Reads TASKROOM_ISSUERS, a JSON list or the path of a file with one. ``plain_http`` allows URLs without TLS.
    Raises ConfigurationError."""
    if not setting.strip():
        return Issuers({})
    try:
        text = setting if setting.lstrip().startswith("[") else Path(setting).read_text()
        listed = json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"TASKROOM_ISSUERS is neither a JSON list nor the path of one: {error}"
        ) from None
    if not isinstance(listed, list):
        raise ConfigurationError("TASKROOM_ISSUERS must hold a JSON list of issuers")
    found: dict[str, Issuer] = {}
    for number, settings in enumerate(listed):
        try:
            issuer = _issuer(settings, plain_http)
        except ma.ValidationError as error:
            field, messages = next(iter(error.messages_dict.items()))
            raise ConfigurationError(f"TASKROOM_ISSUERS[{number}] {field}: {json.dumps(messages)}") from None
        if issuer.name in found:
            raise ConfigurationError(f"TASKROOM_ISSUERS[{number}] issuer: {issuer.name!r} is there twice")
        found[issuer.name] = issuer
    return Issuers(found)


def _issuer(settings: Any, plain_http: bool) -> Issuer:
    """Checks the settings of an issuer. Raises ValidationError."""
    loaded = IssuerSchema().load(settings)
    field = "public_key" if "public_key" in loaded else "jwks_url"
    if field == "jwks_url" and not (plain_http or loaded[field].startswith("https://")):
        raise ma.ValidationError({field: ["Must begin with https://."]})
    try:
        keys = (FixedKey if field == "public_key" else FetchedKeys)(loaded[field], loaded["algorithm"])
    except ValueError as error:
        raise ma.ValidationError({field: [str(error).partition("\n")[0]]}) from None
    return Issuer(loaded, keys)


def _claim(claims: Any, path: str) -> Any:
    """Returns the claim with that name or dotted path (``realm_access.roles``); None when there is none."""
    if path in claims:
        return claims[path]
    for name in path.split("."):
        claims = claims.get(name) if isinstance(claims, Mapping) else None
    return claims


def _text(value: Any) -> str:
    """Returns a line of printable text. Raises ValueError for other values."""
    if not isinstance(value, str) or len(value) > 255 or not value.isprintable():
        raise ValueError("not a line of text")
    return value


def _sign_in(claims: Mapping[str, Any], token: str) -> str:
    """Returns an id of the sign-in: the issuer's session, else the token itself."""
    for name in ("sid", "jti"):
        if isinstance(claims.get(name), str) and claims[name]:
            return f"{name} {claims[name]}"
    return f"token {hashlib.sha256(token.encode()).hexdigest()}"
