"""Tokens and their principals. A known token costs no decoding and no query, so that many clients can reconnect."""

from __future__ import annotations

import hashlib
import operator
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import sqlalchemy as sa
from cachetools import LRUCache
from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError

from app.auth import access_log, accounts, trail
from app.auth.issuers import Issuer, Issuers
from app.auth.jwks import FRESH_SECONDS
from app.auth.principal import Principal
from app.auth.revocations import Revocations
from app.db.statements import Statement, as_text
from app.errors import Unauthorized
from app.models.accounts import Session, User
from app.stream.single_flight import SingleFlight
from app.stream.store import Connect

KEPT_TOKENS = 20_000
_SESSION_USER = Statement(
    sa.select(*as_text(User.id), User.email, User.role, User.tenant)
    .join_from(Session, User, User.id == Session.user_id)
    .where(
        Session.id == sa.bindparam("session"),
        Session.revoked_at.is_(None),
        Session.expires_at > sa.func.now(),
    )
)
# The principal, the lifetime of the token in seconds, and the monotonic time until which both are trusted.
Cached = tuple[Principal, float, float]


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """``number`` counts the refresh tokens of a session."""

    user_id: str
    session_id: str
    number: int


class Authenticator:
    """``read`` and ``write`` lend connections for single statements."""

    def __init__(self, read: Connect, write: Connect, revocations: Revocations, issuers: Issuers) -> None:
        self._read, self._write = read, write
        self._revocations, self._issuers = revocations, issuers
        self._single_flight: SingleFlight[Cached] = SingleFlight()
        # By hash: a token must not stay in memory after its request.
        self._cached: LRUCache[bytes, Cached] = LRUCache(KEPT_TOKENS)

    def wait_for_keys(self, token: str) -> None:
        """Waits for the issuer of an access token, if that must be asked for its keys: ``of_access`` then waits for
        Postgres at most."""
        cached = self._cached.get(_digest(token))
        issuer = self._issuers.of(token) if cached is None or cached[2] <= time.monotonic() else None
        if issuer:
            issuer.wait_for_keys(token)

    def of_access(self, token: str) -> Principal:
        """Returns the principal of an access token. Raises Unauthorized; DatabaseUnavailable when Postgres must be read
        and is unavailable; Unavailable when another issuer's keys cannot be fetched.

        Role, tenant and e-mail are claims of the token: a trigger ends the sessions of an account that changes.
        """
        key = _digest(token)
        cached = self._cached.get(key)
        if cached is None or cached[2] <= time.monotonic():
            issuer = self._issuers.of(token)
            cached = (
                self._single_flight(key, lambda: self._foreign(issuer, token)) if issuer else _access(token)
            )
            self._cached[key] = cached
        principal, lifetime, _ = cached
        if principal.expires_at <= time.time():
            self._cached.pop(key, None)
            raise _invalid()
        if principal.session_id in self._revocations:
            raise _ended()
        # A token that outlives the memory of sign-outs was issued under other settings.
        if not self._revocations.known or lifetime > self._revocations.lifetime:
            return self._confirmed(principal)
        return principal

    def of_stream(self, token: str) -> Principal:
        """Returns the principal of a stream token, valid until the session's end. The token outlives the memory of
        sign-outs, so this reads Postgres. Raises Unauthorized or DatabaseUnavailable."""
        principal = _principal_of(_decoded(token, "stream"))
        if principal.session_id in self._revocations:
            raise _ended()
        return self._confirmed(principal)

    def until(self, token: str, principal: Principal) -> float:
        """Returns the time until which connections of the principal may stay open: the expiry of the stream token when
        it is of the same session, else of the principal's own token."""
        try:
            stream = _principal_of(_decoded(token, "stream"))
        except Unauthorized:
            return principal.expires_at
        same = (stream.user_id, stream.session_id) == (principal.user_id, principal.session_id)
        return stream.expires_at if same else principal.expires_at

    def of_refresh(self, token: str) -> Principal:
        """Returns the principal of a refresh token, read from Postgres. Raises Unauthorized or DatabaseUnavailable."""
        claims = refresh_token(token)
        found = self.of_session(claims.session_id, time.time())
        if found is None or found.user_id != claims.user_id:
            raise _ended()
        return found

    def of_session(self, session_id: str, expires_at: float) -> Principal | None:
        """Returns the user of a session, read from Postgres; None when it has ended. Raises DatabaseUnavailable."""
        with self._read() as conn, conn.cursor() as cur:
            row = _SESSION_USER.execute(cur, session=session_id).fetchone()
        return Principal(row[0], row[1], row[2], row[3], session_id, expires_at) if row else None

    def _confirmed(self, claimed: Principal) -> Principal:
        found = self.of_session(claimed.session_id, claimed.expires_at)
        if found is None or found.user_id != claimed.user_id:
            raise _ended()
        return found

    def _foreign(self, issuer: Issuer, token: str) -> Cached:
        """Returns the principal of another issuer's token. Its account and session are rows like local ones, so that
        they end in the same ways. Raises the errors of of_access."""
        # The issuer may withdraw the key: a known token must not stay valid until its expiry.
        until = time.monotonic() + FRESH_SECONDS
        claims = issuer.verify(token)
        session_id = str(uuid5(NAMESPACE_URL, "\n".join((claims.issuer, claims.subject, claims.session))))
        with self._write() as conn, conn.cursor() as cur:
            opened = accounts.open_session(cur, claims, session_id)
            if opened is None:
                accounts.record(cur, claims)
                opened = accounts.open_session(cur, claims, session_id)
            if opened is not None:
                principal = Principal(
                    opened.user_id, claims.email, claims.role, claims.tenant, session_id, claims.expires_at
                )
                if opened.is_new:
                    trail.record(cur, principal, "sign_in", "session")
        if opened is None:  # a newer token has other claims, or the session was signed out
            raise _ended()
        if opened.is_new:
            access_log.signed_in(opened.user_id)
        return principal, claims.expires_at - claims.issued_at, until


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def new_access(user_id: str, email: str, role: str, tenant: str | None, session_id: str) -> str:
    return _signed(create_access_token, user_id, _account(email, role, tenant, session_id))


def new_stream(seconds: int, user_id: str, email: str, role: str, tenant: str | None, session_id: str) -> str:
    """Returns a token for a cookie that only opens streams, valid as long as the session: a disconnected EventSource
    cannot renew an access token first, and a 401 would end it for good."""
    claims = _account(email, role, tenant, session_id) | {"type": "stream"}
    return _signed(create_access_token, user_id, claims, seconds)


def new_refresh(user_id: str, session_id: str, number: int, seconds: int) -> str:
    """Returns a refresh token, valid for ``seconds``: a refresh does not extend the session."""
    return _signed(create_refresh_token, user_id, {"sid": session_id, "number": number}, seconds)


def _account(email: str, role: str, tenant: str | None, session_id: str) -> dict[str, Any]:
    return {"sid": session_id, "email": email, "role": role, "tenant": tenant}


def _signed(
    create: Callable[..., Any], user_id: str, claims: dict[str, Any], seconds: int | None = None
) -> str:
    expires = None if seconds is None else timedelta(seconds=seconds)
    return str(create(user_id, additional_claims=claims, expires_delta=expires))


def refresh_token(token: str) -> RefreshToken:
    """Decodes a refresh token. Raises Unauthorized."""
    claims = _decoded(token, "refresh")
    try:
        number = claims.get("number", 0)  # a token of a version without numbers is the session's first
        return RefreshToken(str(UUID(claims["sub"])), str(UUID(claims["sid"])), operator.index(number))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise _invalid() from None


def _access(token: str) -> Cached:
    """Decodes an access token. Raises Unauthorized."""
    claims = _decoded(token, "access")
    return _principal_of(claims), float(claims["exp"]) - float(claims["iat"]), float("inf")


def _decoded(token: str, kind: str) -> dict[str, Any]:
    """Returns the claims after checking signature, times, audience and issuer. Raises Unauthorized."""
    try:
        claims: dict[str, Any] = decode_token(token)
    except (PyJWTError, JWTExtendedException, KeyError, ValueError, TypeError, AttributeError):
        raise _invalid() from None
    if claims.get("type") != kind:
        raise Unauthorized("The token is not valid here")
    return claims


def _principal_of(claims: dict[str, Any]) -> Principal:
    """Returns the principal of decoded claims. Raises Unauthorized for invalid ones."""
    try:
        user_id, session_id = str(UUID(claims["sub"])), str(UUID(claims["sid"]))
        email, role, tenant = claims["email"], claims["role"], claims.get("tenant")
        if not (isinstance(email, str) and isinstance(role, str) and isinstance(tenant, str | None)):
            raise TypeError("email, role and tenant are text")
        return Principal(user_id, email, role, tenant, session_id, float(claims["exp"]))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise _invalid() from None


def _invalid() -> Unauthorized:
    """Returns the error for any invalid token: the message must not reveal the reason."""
    return Unauthorized("The token is missing, expired or not valid")


def _ended() -> Unauthorized:
    return Unauthorized("The session has ended; sign in again")
