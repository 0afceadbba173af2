"""Sessions: sign in, refresh, sign out, and tickets."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from app.auth import access_log, accounts, tokens, trail
from app.auth.issuers import REMEMBERED_SECONDS
from app.auth.key_authenticator import KeyAuthenticator
from app.auth.key_text import hash_of
from app.auth.passwords import Passwords
from app.auth.principal import Principal
from app.auth.sign_out import SignOut
from app.auth.tokens import Authenticator
from app.db.statements import Statement, as_text
from app.errors import Unauthorized
from app.models.accounts import Session, Ticket, User
from app.services import services
from app.stream.event import clean

logger = logging.getLogger("taskroom.sessions")

# Several tabs may refresh with the same cookie, and a response may be lost: a repeat within this time is no theft. It
# is longer than the dashboard's timeout of 15 s.
GRACE_SECONDS = 20


# Locks the row: a change of the account ends its sessions, and must either find this session or be read by it.
_account = (
    sa.select(User.id, User.email, User.role, User.tenant)
    .where(User.id == sa.bindparam("user"), User.password_hash == sa.bindparam("hash"))
    .with_for_update(read=True)
    .cte("account")
)
_made = (
    sa.insert(Session)
    .from_select(
        ["user_id", "expires_at"], sa.select(_account.c.id, sa.func.now() + sa.bindparam("lifetime"))
    )
    .returning(Session.id)
    .cte("made")
)
_SIGN_IN = Statement(
    sa.select(
        *as_text(_account.c.id, _account.c.email, _account.c.role, _account.c.tenant, _made.c.id)
    ).select_from(_account, _made)
)

# One statement: its row lock orders concurrent refreshes, so that the second sees the changes of the first.
_fresh = sa.func.coalesce(Session.refreshed_at > sa.func.now() - sa.bindparam("grace"), sa.false())
_is_newest = Session.refreshes == sa.bindparam("number")
_moves_on = sa.and_(_is_newest, sa.not_(_fresh))
_good = sa.or_(_is_newest, sa.and_(Session.refreshes == sa.bindparam("number") + 1, _fresh))
_REFRESH = Statement(
    sa.update(Session)
    .where(Session.id == sa.bindparam("session"), User.id == sa.bindparam("user"), Session.user_id == User.id)
    .where(Session.revoked_at.is_(None), Session.expires_at > sa.func.now())
    .values(
        refreshes=sa.case((_moves_on, Session.refreshes + 1), else_=Session.refreshes),
        refreshed_at=sa.case((_moves_on, sa.func.now()), else_=Session.refreshed_at),
        revoked_at=sa.case((_good, sa.null()), else_=sa.func.now()),
    )
    .returning(
        *as_text(User.id, User.email, User.role, User.tenant, Session.id),
        Session.refreshes,
        sa.cast(sa.func.ceil(sa.extract("epoch", Session.expires_at - sa.func.now())), sa.Integer),
        Session.revoked_at.is_(None),
    )
)
# Kept for a while: another issuer may have issued tokens of this sign-in that were not used here yet.
_remembered = sa.func.now() + timedelta(seconds=REMEMBERED_SECONDS)
_SIGN_OUT = Statement(
    sa.update(Session)
    .where(Session.id == sa.bindparam("session"))
    .values(revoked_at=sa.func.now(), expires_at=sa.func.greatest(Session.expires_at, _remembered))
)
_NEW_TICKET = Statement(
    sa.insert(Ticket).values(
        hash=sa.bindparam("hash"),
        session_id=sa.bindparam("session"),
        key_id=sa.bindparam("key"),
        share_id=sa.bindparam("share"),
        expires_at=sa.func.now() + sa.bindparam("lifetime"),
    )
)
_USE_TICKET = Statement(
    sa.delete(Ticket)
    .where(Ticket.hash == sa.bindparam("hash"))
    .returning(
        *as_text(Ticket.session_id, sa.func.coalesce(Ticket.key_id, Ticket.share_id)),
        Ticket.expires_at > sa.func.now(),
        sa.select(sa.extract("epoch", Session.expires_at))
        .where(Session.id == Ticket.session_id)
        .correlate(Ticket)
        .scalar_subquery(),
    )
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """``seconds``: the time left until the end of the session."""

    principal: Principal
    access: str
    refresh: str
    stream: str
    seconds: int


def account_name(email: str) -> str:
    """Returns the normal form of an e-mail address, for accounts and for counting attempts."""
    return clean(email).strip().lower()


def sign_in(email: str, password: str) -> SignedIn:
    """Creates a session. Raises Unauthorized; Full while too many users sign in."""
    with services().read() as conn, conn.cursor() as cur:
        found = accounts.find(cur, account_name(email))
    if found:
        access_log.concerns(found.user_id)
    if not services()[Passwords].verify(found and found.password_hash, password) or found is None:
        raise Unauthorized("E-mail or password is wrong")
    seconds = services().config.refresh_token_seconds
    with services().transaction() as tx:
        made = _SIGN_IN.execute(
            tx.cur, user=found.user_id, hash=found.password_hash, lifetime=timedelta(seconds=seconds)
        ).fetchone()
        if made is not None:
            user_id, name, role, tenant, session_id = made
            by = Principal(user_id, name, role, tenant, session_id, expires_at=float(seconds))
            trail.record(tx.cur, by, "sign_in", "session")
    if made is None:
        raise Unauthorized("E-mail or password is wrong")
    return _signed_in(made, 0, seconds)


def refresh(token: str) -> SignedIn:
    """Issues new tokens of a session. Raises Unauthorized.

    Refresh tokens of a session are numbered, and only the newest is valid. An older one was copied: its use, by a thief
    or the owner, ends the session. Within GRACE_SECONDS the number before is valid too, and the number stays: tabs that
    refresh together would invalidate each other's tokens.
    """
    claims = tokens.refresh_token(token)
    access_log.concerns(claims.user_id)
    with services().write() as conn, conn.cursor() as cur:
        row = _REFRESH.execute(
            cur,
            grace=timedelta(seconds=GRACE_SECONDS),
            number=claims.number,
            session=claims.session_id,
            user=claims.user_id,
        ).fetchone()
    if row is None:
        raise Unauthorized("The session has ended; sign in again")
    *account, number, seconds, good = row
    if not good:
        logger.warning("session %s ended: one of its older refresh tokens was used", claims.session_id)
        _ended(claims.session_id)
        raise Unauthorized("The session has ended; sign in again")
    return _signed_in(account, number, seconds)


def sign_out(principal: Principal) -> None:
    """Ends the session at once: its tokens, and its open streams in every web process."""
    access_log.concerns(principal.user_id)
    with services().transaction() as tx:
        _SIGN_OUT.execute(tx.cur, session=principal.session_id)
        trail.record(tx.cur, principal, "sign_out", "session")
    _ended(principal.session_id)


def _ended(session_id: str) -> None:
    """Ends the session in all processes at once; without the message they would read it a second later."""
    services()[SignOut].everywhere(session_id)


def _signed_in(account: Sequence[str], number: int, seconds: int) -> SignedIn:
    """``account`` is user id, e-mail, role, tenant and session id."""
    access = tokens.new_access(*account)
    fresh = tokens.new_refresh(account[0], account[4], number, seconds)
    stream = tokens.new_stream(seconds, *account)
    return SignedIn(services()[Authenticator].of_access(access), access, fresh, stream, seconds)


def new_ticket(principal: Principal) -> str:
    ticket = secrets.token_urlsafe(24)
    share = principal.session_id if principal.shared_task else None
    session = None if principal.is_stored else principal.session_id
    with services().write() as conn, conn.cursor() as cur:
        lifetime = timedelta(seconds=services().config.ticket_seconds)
        whose = {"session": session, "key": principal.key_id, "share": share}
        _NEW_TICKET.execute(cur, hash=hash_of(ticket), lifetime=lifetime, **whose)
    return ticket


def use_ticket(ticket: str) -> Principal:
    """Returns the principal of a ticket and deletes it: two connections must not share one. Raises Unauthorized."""
    with services().write() as conn, conn.cursor() as cur:
        row = _USE_TICKET.execute(cur, hash=hash_of(ticket)).fetchone()
    found = None
    if row is not None and row[2]:
        session_id, stored_id, _, expires_at = row
        if stored_id:
            found = services()[KeyAuthenticator].of_id(stored_id)
        else:
            found = services()[Authenticator].of_session(session_id, float(expires_at))
    if found is None:
        raise Unauthorized("The ticket was used, has expired or does not exist")
    return found
