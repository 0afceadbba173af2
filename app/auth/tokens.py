"""From a token to who it speaks for. A crowd that comes back with its tokens costs no decoding and no query."""

from __future__ import annotations

import hashlib
import operator
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import sqlalchemy as sa
from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError

from app.auth import accounts
from app.auth.issuers import Issuer, Issuers
from app.auth.jwks import FRESH_SECONDS
from app.auth.lru import Lru
from app.auth.principal import Principal
from app.auth.revocations import Revocations
from app.db.statements import Statement, as_text
from app.errors import Unauthorized
from app.models.accounts import Session, User
from app.stream.single_flight import SingleFlight
from app.stream.store import Connect

KEPT_TOKENS = 20_000
_WHOSE_SESSION = Statement(
    sa.select(*as_text(User.id), User.email, User.role, User.tenant)
    .join_from(Session, User, User.id == Session.user_id)
    .where(
        Session.id == sa.bindparam("session"),
        Session.revoked_at.is_(None),
        Session.expires_at > sa.func.now(),
    )
)
# Who, for how many seconds the token was made, and until when (monotonic) that is believed unasked.
Kept = tuple[Principal, float, float]


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """``number`` is which one of its session's it is."""

    user_id: str
    session_id: str
    number: int


class Claims:
    def __init__(self, read: Connect, revocations: Revocations, issuers: Issuers) -> None:
        self._read, self._revocations, self._issuers = read, revocations, issuers
        self._single_flight: SingleFlight[Kept] = SingleFlight()
        # By hash: a token is not to be found in memory longer than the request that brought it.
        self._kept: Lru[bytes, Kept] = Lru(KEPT_TOKENS)

    def of_access(self, token: str) -> Principal:
        """Returns the principal of an access token. Raises Unauthorized; DatabaseUnavailable when Postgres must be read
        and is unavailable; Unavailable when another issuer's keys cannot be fetched.

        Role, tenant and address are the token's own: a change of the account ends its sessions (a trigger sees to it).
        """
        key = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        kept = self._kept.get(key)
        if kept is None or kept[2] <= time.monotonic():
            issuer = self._issuers.of(token)
            kept = (
                self._single_flight(key, lambda: self._foreign(issuer, token)) if issuer else _access(token)
            )
            self._kept.put(key, kept)
        principal, lifetime, _ = kept
        if principal.expires_at <= time.time():
            self._kept.drop(key)
            raise _invalid()
        if principal.session_id in self._revocations:
            raise _ended()
        # A token that outlives the memory of sign-outs was made under another configuration.
        if not self._revocations.known or lifetime > self._revocations.lifetime:
            return self._asked(principal)
        return principal

    def of_stream(self, token: str) -> Principal:
        """Who a stream token speaks for, until the session's end. It outlives the memory of sign-outs, so Postgres is
        asked. Raises Unauthorized or DatabaseUnavailable."""
        principal = _principal_of(_decoded(token, "stream"))
        if principal.session_id in self._revocations:
            raise _ended()
        return self._asked(principal)

    def until(self, token: str, principal: Principal) -> float:
        """How long what this principal opens may stay open by that stream token: as long as its own token says when
        that is none, or another session's."""
        try:
            told = _principal_of(_decoded(token, "stream"))
        except Unauthorized:
            return principal.expires_at
        same = (told.user_id, told.session_id) == (principal.user_id, principal.session_id)
        return told.expires_at if same else principal.expires_at

    def of_refresh(self, token: str) -> Principal:
        """Whose session a refresh token is of, as Postgres has it now. Raises Unauthorized or DatabaseUnavailable."""
        told = refresh_token(token)
        found = self.of_session(told.session_id, time.time())
        if found is None or found.user_id != told.user_id:
            raise _ended()
        return found

    def of_session(self, session_id: str, expires_at: float) -> Principal | None:
        """Whose session it is, as Postgres has it now; None when it has ended. Raises DatabaseUnavailable."""
        with self._read() as conn, conn.cursor() as cur:
            row = _WHOSE_SESSION.execute(cur, session=session_id).fetchone()
        return Principal(row[0], row[1], row[2], row[3], session_id, expires_at) if row else None

    def _asked(self, told: Principal) -> Principal:
        found = self.of_session(told.session_id, told.expires_at)
        if found is None or found.user_id != told.user_id:
            raise _ended()
        return found

    def _foreign(self, issuer: Issuer, token: str) -> Kept:
        """Who another issuer's token speaks for. Its account and session are rows like ours, so that whatever ends
        one ends the other. Raises as of_access does."""
        # Its issuer may take the key back, and a known token must not outlive that until its own expiry.
        until = time.monotonic() + FRESH_SECONDS
        told = issuer.told(token)
        session_id = str(uuid5(NAMESPACE_URL, "\n".join((told.issuer, told.subject, told.session))))
        with self._read() as conn, conn.cursor() as cur:
            user_id = accounts.open_session(cur, told, session_id)
            if user_id is None:
                accounts.record(cur, told)
                user_id = accounts.open_session(cur, told, session_id)
        if user_id is None:  # a newer token says otherwise, or somebody has signed out with this one
            raise _ended()
        principal = Principal(user_id, told.email, told.role, told.tenant, session_id, told.expires_at)
        return principal, told.expires_at - told.issued_at, until


def new_access(user_id: str, email: str, role: str, tenant: str | None, session_id: str) -> str:
    told = {"sid": session_id, "email": email, "role": role, "tenant": tenant}
    token: str = create_access_token(user_id, additional_claims=told)
    return token


def new_stream(seconds: int, user_id: str, email: str, role: str, tenant: str | None, session_id: str) -> str:
    """For a cookie that opens streams and nothing else, as long as the session lasts: an EventSource that is cut cannot
    renew an access token first, and a 401 would end it for good."""
    told = {"sid": session_id, "email": email, "role": role, "tenant": tenant, "type": "stream"}
    token: str = create_access_token(
        user_id, additional_claims=told, expires_delta=timedelta(seconds=seconds)
    )
    return token


def new_refresh(user_id: str, session_id: str, number: int, seconds: int) -> str:
    """Good for so many seconds: a session does not get longer by being carried on."""
    told = {"sid": session_id, "number": number}
    token: str = create_refresh_token(
        user_id, additional_claims=told, expires_delta=timedelta(seconds=seconds)
    )
    return token


def refresh_token(token: str) -> RefreshToken:
    """What a refresh token says. Raises Unauthorized."""
    claims = _decoded(token, "refresh")
    try:
        number = claims.get("number", 0)  # those made before they were numbered are a session's first
        return RefreshToken(str(UUID(claims["sub"])), str(UUID(claims["sid"])), operator.index(number))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise _invalid() from None


def _access(token: str) -> Kept:
    """Raises Unauthorized."""
    claims = _decoded(token, "access")
    return _principal_of(claims), float(claims["exp"]) - float(claims["iat"]), float("inf")


def _decoded(token: str, kind: str) -> dict[str, Any]:
    """The claims, once signature, times, audience and issuer are checked. Raises Unauthorized."""
    try:
        claims: dict[str, Any] = decode_token(token)
    except (PyJWTError, JWTExtendedException, KeyError, ValueError, TypeError, AttributeError):
        raise _invalid() from None
    if claims.get("type") != kind:
        raise Unauthorized("The token is not valid here")
    return claims


def _principal_of(claims: dict[str, Any]) -> Principal:
    """Raises Unauthorized."""
    try:
        return _principal(claims)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise _invalid() from None


def _principal(claims: dict[str, Any]) -> Principal:
    """Raises KeyError, ValueError, TypeError or AttributeError for claims that are not of our making."""
    user_id, session_id = str(UUID(claims["sub"])), str(UUID(claims["sid"]))
    email, role, tenant = claims["email"], claims["role"], claims.get("tenant")
    if not (isinstance(email, str) and isinstance(role, str) and isinstance(tenant, str | None)):
        raise TypeError("email, role and tenant are text")
    return Principal(user_id, email, role, tenant, session_id, float(claims["exp"]))


def _invalid() -> Unauthorized:
    """Never says more than that."""
    return Unauthorized("The token is missing, expired or not valid")


def _ended() -> Unauthorized:
    return Unauthorized("The session has ended; sign in again")
