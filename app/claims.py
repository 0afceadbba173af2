"""From a token to who it speaks for. A crowd that comes back with its tokens costs no decoding and no query."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError

from app.errors import Unauthorized
from app.lru import Lru
from app.revocations import Revocations
from app.stream.store import Connect

KEPT_TOKENS = 20_000


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request or connection speaks for. ``expires_at`` is when its token does, in epoch seconds."""

    user_id: str
    email: str
    role: str
    session_id: str
    expires_at: float


class Claims:
    def __init__(self, read: Connect, revocations: Revocations) -> None:
        self._read, self._revocations = read, revocations
        # By hash: a token is not to be found in memory longer than the request that brought it.
        self._kept: Lru[bytes, tuple[Principal, float]] = Lru(KEPT_TOKENS)

    def of_access(self, token: str) -> Principal:
        """Who an access token speaks for. Raises Unauthorized, and StoreAway when Postgres must be asked and is away.

        Role and address are the token's own: a change of the account ends its sessions (a trigger sees to it).
        """
        key = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        kept = self._kept.get(key)
        if kept is None:
            kept = _access(token)
            self._kept.put(key, kept)
        principal, lifetime = kept
        if principal.expires_at <= time.time():
            self._kept.drop(key)
            raise _invalid()
        if principal.session_id in self._revocations:
            raise _ended()
        # A token that outlives the memory of sign-outs was made under another configuration.
        if not self._revocations.known or lifetime > self._revocations.lifetime:
            return self._asked(principal)
        return principal

    def of_refresh(self, token: str) -> Principal:
        """Who a refresh token speaks for, as Postgres has it now. Raises Unauthorized or StoreAway."""
        claims = _decoded(token, "refresh")
        try:
            return self._asked(_principal(claims | {"email": "", "role": ""}))
        except (KeyError, ValueError, TypeError, AttributeError):
            raise _invalid() from None

    def of_session(self, session_id: str, expires_at: float) -> Principal | None:
        """Whose session it is, as Postgres has it now; None when it has ended. Raises StoreAway."""
        with self._read() as conn, conn.cursor() as cur:
            cur.execute(
                """SELECT users.id::text, email, role FROM sessions JOIN users ON users.id = sessions.user_id
                   WHERE sessions.id = %s AND revoked_at IS NULL AND expires_at > now()""",
                (session_id,),
            )
            row = cur.fetchone()
        return Principal(row[0], row[1], row[2], session_id, expires_at) if row else None

    def _asked(self, told: Principal) -> Principal:
        found = self.of_session(told.session_id, told.expires_at)
        if found is None or found.user_id != told.user_id:
            raise _ended()
        return found


def new_access(user_id: str, email: str, role: str, session_id: str) -> str:
    token: str = create_access_token(
        user_id, additional_claims={"sid": session_id, "email": email, "role": role}
    )
    return token


def new_refresh(user_id: str, session_id: str) -> str:
    token: str = create_refresh_token(user_id, additional_claims={"sid": session_id})
    return token


def _access(token: str) -> tuple[Principal, float]:
    """Who, and for how many seconds it was made. Raises Unauthorized."""
    claims = _decoded(token, "access")
    try:
        return _principal(claims), float(claims["exp"]) - float(claims["iat"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise _invalid() from None


def _decoded(token: str, kind: str) -> dict[str, Any]:
    """The claims, once signature, times, audience and issuer are checked. Raises Unauthorized."""
    try:
        claims: dict[str, Any] = decode_token(token)
    except (PyJWTError, JWTExtendedException, KeyError, ValueError, TypeError, AttributeError):
        raise _invalid() from None
    if claims.get("type") != kind:
        raise Unauthorized("The token is not valid here")
    return claims


def _principal(claims: dict[str, Any]) -> Principal:
    """Raises KeyError, ValueError, TypeError or AttributeError for claims that are not of our making."""
    user_id, session_id = str(UUID(claims["sub"])), str(UUID(claims["sid"]))
    email, role = claims["email"], claims["role"]
    if not (isinstance(email, str) and isinstance(role, str)):
        raise TypeError("email and role are text")
    return Principal(user_id, email, role, session_id, float(claims["exp"]))


def _invalid() -> Unauthorized:
    """Never says more than that."""
    return Unauthorized("The token is missing, expired or not valid")


def _ended() -> Unauthorized:
    return Unauthorized("The session has ended; sign in again")
