"""Sign-ins: how one is made, carried on by refresh tokens and ended, and the tickets it gives."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from app.auth import access_log, tokens
from app.auth.issuers import REMEMBERED_SECONDS
from app.auth.passwords import Passwords
from app.auth.principal import Principal
from app.auth.sign_out import SignOut
from app.auth.tokens import Claims
from app.errors import Unauthorized
from app.services import services
from app.stream.event import clean

logger = logging.getLogger("taskroom.sessions")

# Several tabs wake with the same cookie, and an answer may be lost: who asks again so soon is no thief. It is
# longer than the 15 s after which the dashboard gives up on an answer.
GRACE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class SignedIn:
    """``seconds`` is how long the session may still be carried on."""

    principal: Principal
    access: str
    refresh: str
    stream: str
    seconds: int


def account_name(email: str) -> str:
    """The one spelling of an address, for accounts and for counting attempts alike."""
    return clean(email).strip().lower()


def sign_in(email: str, password: str) -> SignedIn:
    """Raises Unauthorized, and Unavailable while too many sign in."""
    with services().read() as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT id, password_hash FROM users WHERE email = %s AND issuer IS NULL", (account_name(email),)
        )
        row = cur.fetchone()
    if row:
        access_log.concerns(str(row[0]))
    if not services()[Passwords].verify(row[1] if row else None, password) or row is None:
        raise Unauthorized("E-mail or password is wrong")
    seconds = services().config.refresh_token_seconds
    with services().read() as conn, conn.cursor() as cur:
        # The row lock: a change of the account ends its sessions, and must find this one or be seen by it.
        cur.execute(
            """WITH account AS (SELECT id, email, role, tenant FROM users
                                WHERE id = %s AND password_hash = %s FOR SHARE),
                    made AS (INSERT INTO sessions (user_id, expires_at)
                             SELECT id, now() + make_interval(secs => %s) FROM account RETURNING id)
               SELECT account.id::text, email, role, tenant, made.id::text FROM account, made""",
            (*row, seconds),
        )
        made = cur.fetchone()
    if made is None:
        raise Unauthorized("E-mail or password is wrong")
    return _signed_in(made, 0, seconds)


def refresh(token: str) -> SignedIn:
    """Carries the session on. Raises Unauthorized.

    Refresh tokens of a session are numbered and only the newest is good. An older one has been copied: whoever
    comes with it, thief or owner, ends the session. Within the grace nobody can tell, so the number before is
    good too, and the number stays: tabs that wake together would outrun each other.
    """
    told = tokens.refresh_token(token)
    access_log.concerns(told.user_id)
    with services().read() as conn, conn.cursor() as cur:
        cur.execute(
            _CARRY_ON,
            {"grace": GRACE_SECONDS, "number": told.number, "id": told.session_id, "user": told.user_id},
        )
        row = cur.fetchone()
    if row is None:
        raise Unauthorized("The session has ended; sign in again")
    *account, number, seconds, good = row
    if not good:
        logger.warning("session %s ended: one of its older refresh tokens was used", told.session_id)
        _ended(told.session_id)
        raise Unauthorized("The session has ended; sign in again")
    return _signed_in(account, number, seconds)


# One statement, whose row lock orders those who come at the same moment: the second sees what the first did.
_FRESH = "coalesce(refreshed_at > now() - make_interval(secs => %(grace)s), false)"
_CARRY_ON = f"""
    UPDATE sessions SET
        refreshes = CASE WHEN refreshes = %(number)s AND NOT {_FRESH} THEN refreshes + 1 ELSE refreshes END,
        refreshed_at = CASE WHEN refreshes = %(number)s AND NOT {_FRESH} THEN now() ELSE refreshed_at END,
        revoked_at = CASE WHEN refreshes = %(number)s OR (refreshes = %(number)s + 1 AND {_FRESH})
                     THEN NULL ELSE now() END
    FROM users
    WHERE sessions.id = %(id)s AND users.id = %(user)s AND sessions.user_id = users.id
        AND revoked_at IS NULL AND expires_at > now()
    RETURNING users.id::text, email, role, tenant, sessions.id::text,
        refreshes, ceil(extract(epoch FROM expires_at - now()))::int, revoked_at IS NULL"""


def sign_out(principal: Principal) -> None:
    """Ends the session at once: its tokens, and its open streams in every web process."""
    access_log.concerns(principal.user_id)
    with services().read() as conn, conn.cursor() as cur:
        # Kept a while: another issuer may have made tokens for this sign-in that nobody has shown us yet.
        cur.execute(
            """UPDATE sessions SET revoked_at = now(),
                   expires_at = greatest(expires_at, now() + make_interval(secs => %s)) WHERE id = %s""",
            (REMEMBERED_SECONDS, principal.session_id),
        )
    _ended(principal.session_id)


def _ended(session_id: str) -> None:
    """Tells this process and the others, which would else read of it a second later."""
    services()[SignOut].everywhere(session_id)


def _signed_in(account: Sequence[str], number: int, seconds: int) -> SignedIn:
    """``account`` is user id, e-mail, role, tenant and session id."""
    access = tokens.new_access(*account)
    fresh = tokens.new_refresh(account[0], account[4], number, seconds)
    stream = tokens.new_stream(seconds, *account)
    return SignedIn(services()[Claims].of_access(access), access, fresh, stream, seconds)


def new_ticket(principal: Principal) -> str:
    ticket = secrets.token_urlsafe(24)
    with services().read() as conn, conn.cursor() as cur:
        cur.execute(
            "INSERT INTO tickets (hash, session_id, expires_at) VALUES (%s, %s, now() + make_interval(secs => %s))",
            (_ticket_hash(ticket), principal.session_id, services().config.ticket_seconds),
        )
    return ticket


def use_ticket(ticket: str) -> Principal:
    """Deletes what it reads, so that two connections cannot share a ticket. Raises Unauthorized."""
    with services().read() as conn, conn.cursor() as cur:
        cur.execute(
            """DELETE FROM tickets WHERE hash = %s
               RETURNING session_id::text, expires_at > now(),
                   (SELECT extract(epoch FROM sessions.expires_at) FROM sessions WHERE id = tickets.session_id)""",
            (_ticket_hash(ticket),),
        )
        row = cur.fetchone()
    found = services()[Claims].of_session(row[0], float(row[2])) if row and row[1] else None
    if found is None:
        raise Unauthorized("The ticket was used, has expired or never was")
    return found


def _ticket_hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("utf-8", "replace")).hexdigest()
