"""Who asks: passwords, cookies, tickets and permissions. Every read, write and room goes through here."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, Request, current_app, request
from flask.sessions import SessionInterface

from app import claims, green, passwords
from app.claims import Principal as Principal  # known to all by this module
from app.config import Config
from app.errors import Forbidden, NotFound, Unauthorized
from app.extensions import jwt
from app.services import services
from app.stream.event import clean


class NoSession(SessionInterface):
    """Flask's own session, a signed cookie, is opened for every request; nothing is kept in it here."""

    def open_session(self, app: Flask, request: Request) -> None:
        return None


def init_app(app: Flask, config: Config) -> None:
    app.config.update(
        JWT_SECRET_KEY=config.secret_key,
        JWT_ALGORITHM="HS256",
        JWT_DECODE_ALGORITHMS=["HS256"],  # pinned: a token may not choose how it is checked
        JWT_ENCODE_AUDIENCE="taskroom",
        JWT_DECODE_AUDIENCE="taskroom",
        JWT_ENCODE_ISSUER="taskroom",
        JWT_DECODE_ISSUER="taskroom",
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=config.access_token_seconds),
        JWT_REFRESH_TOKEN_EXPIRES=timedelta(seconds=config.refresh_token_seconds),
        JWT_TOKEN_LOCATION=["headers", "cookies"],
        JWT_COOKIE_SECURE=config.cookie_secure,
        JWT_COOKIE_SAMESITE="Lax",
        JWT_COOKIE_CSRF_PROTECT=False,  # the origin is checked instead, see _refuse_cross_site
        JWT_REFRESH_COOKIE_PATH="/api/v2/auth",
        JWT_SESSION_COOKIE=False,
    )
    jwt.init_app(app)
    app.session_interface = NoSession()


def account_name(email: str) -> str:
    """The one spelling of an address, for accounts and for counting attempts alike."""
    return clean(email).strip().lower()


def sign_in(email: str, password: str) -> tuple[Principal, str, str]:
    """Returns who it is, an access and a refresh token. Raises Unauthorized."""
    with services().read() as conn, conn.cursor() as cur:
        cur.execute("SELECT id, password_hash FROM users WHERE email = %s", (account_name(email),))
        row = cur.fetchone()
    if not green.offload(passwords.verify, row[1] if row else None, password) or row is None:
        raise Unauthorized("E-mail or password is wrong")
    with services().read() as conn, conn.cursor() as cur:
        # The row lock: a change of the account ends its sessions, and must find this one or be seen by it.
        cur.execute(
            """WITH account AS (SELECT id, email, role FROM users WHERE id = %s AND password_hash = %s FOR SHARE),
                    made AS (INSERT INTO sessions (user_id, expires_at)
                             SELECT id, now() + make_interval(secs => %s) FROM account RETURNING id)
               SELECT account.id::text, email, role, made.id::text FROM account, made""",
            (*row, services().config.refresh_token_seconds),
        )
        made = cur.fetchone()
    if made is None:
        raise Unauthorized("E-mail or password is wrong")
    access = claims.new_access(*made)
    return principal_of(access), access, claims.new_refresh(made[0], made[3])


def refreshed() -> tuple[Principal, str]:
    """A new access token for the refresh cookie. Raises Unauthorized."""
    _refuse_cross_site(request)
    token = request.cookies.get(current_app.config["JWT_REFRESH_COOKIE_NAME"])
    if not token:
        raise Unauthorized("There is no refresh cookie; sign in")
    found = services().claims.of_refresh(token)
    access = claims.new_access(found.user_id, found.email, found.role, found.session_id)
    return principal_of(access), access


def sign_out(principal: Principal) -> None:
    """Ends the session at once: its tokens, and its open streams in every web process."""
    with services().read() as conn, conn.cursor() as cur:
        cur.execute("UPDATE sessions SET revoked_at = now() WHERE id = %s", (principal.session_id,))
    services().session_ended(principal.session_id)
    services().publisher.control(principal.session_id)


def new_ticket(principal: Principal) -> str:
    ticket = secrets.token_urlsafe(24)
    with services().read() as conn, conn.cursor() as cur:
        cur.execute(
            "INSERT INTO tickets (hash, session_id, expires_at) VALUES (%s, %s, now() + make_interval(secs => %s))",
            (_ticket_hash(ticket), principal.session_id, services().config.ticket_seconds),
        )
    return ticket


def principal_of(token: str) -> Principal:
    """Who an access token speaks for. Raises Unauthorized, and never says more than that."""
    return services().claims.of_access(token)


def current(allow_ticket: bool = False) -> Principal:
    """Who sent this request: bearer header, else cookie, else (for streams) a ticket. Raises Unauthorized."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return principal_of(token.strip())
    if "ticket" in request.args:
        if allow_ticket:
            return use_ticket(request.args["ticket"])
        raise Unauthorized("A ticket opens a stream only")
    cookie = request.cookies.get(current_app.config["JWT_ACCESS_COOKIE_NAME"])
    if not cookie:
        raise Unauthorized("Send a bearer token, or sign in for a cookie")
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        _refuse_cross_site(request)
    return principal_of(cookie)


def readable_task(principal: Principal, task_id: str) -> str:
    """The id again, when this principal may see the task; NotFound for absent and foreign alike."""
    owner = services().owners.of(task_id)
    if owner is None or (owner != principal.user_id and principal.role != "admin"):
        raise NotFound("There is no such task")
    return task_id


def may_write(principal: Principal) -> None:
    if principal.role == "viewer":
        raise Forbidden("A viewer may look, not act")


def use_ticket(ticket: str) -> Principal:
    """Deletes what it reads, so that two connections cannot share a ticket."""
    with services().read() as conn, conn.cursor() as cur:
        cur.execute(
            """DELETE FROM tickets WHERE hash = %s
               RETURNING session_id::text, expires_at > now(),
                   (SELECT extract(epoch FROM sessions.expires_at) FROM sessions WHERE id = tickets.session_id)""",
            (_ticket_hash(ticket),),
        )
        row = cur.fetchone()
    found = services().claims.of_session(row[0], float(row[2])) if row and row[1] else None
    if found is None:
        raise Unauthorized("The ticket was used, has expired or never was")
    return found


def _ticket_hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("utf-8", "replace")).hexdigest()


def same_host(origin: str, host: str) -> bool:
    """Compares hosts only: behind a proxy that ends TLS the scheme is not the one the browser sees."""
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _refuse_cross_site(request: Request) -> None:
    """A cookie goes along with what other sites make a browser send; the browser tells where that came from.

    What is no browser sends neither header, and has no cookies that it was not given.
    """
    origin = request.headers.get("Origin")
    if origin and not same_host(origin, request.host) and origin not in services().config.cors_origins:
        raise Forbidden("This origin may not use the cookie")
    if not origin and request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise Forbidden("This site may not use the cookie")
