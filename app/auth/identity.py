"""Identifies the user of a request by a bearer token, API key, share token, cookie or ticket, and checks the origin of
cookies.

A caller names the scope that an API key must have, and whether a share token may call: no code gets a principal
without.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, request
from flask.sessions import SessionInterface
from flask_jwt_extended import JWTManager

from app.auth import access_log, permissions
from app.auth.key_authenticator import KeyAuthenticator
from app.auth.key_text import PREFIX, SHARE_PREFIX
from app.auth.principal import Principal
from app.auth.sessions import use_ticket
from app.auth.tokens import Authenticator
from app.config import Config
from app.errors import Forbidden, Unauthorized
from app.green.unsent import WHOSE
from app.services import services

STREAM_COOKIE = "stream_token_cookie"


class NoSession(SessionInterface):
    """Disables Flask's own session, which would be opened for every request and is not used."""

    def open_session(self, app: Flask, request: Request) -> None:
        return None


def init_app(app: Flask, config: Config) -> None:
    app.config.update(
        JWT_SECRET_KEY=config.secret_key,
        JWT_ALGORITHM="HS256",
        JWT_DECODE_ALGORITHMS=["HS256"],  # pinned: a token must not choose its algorithm
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
    JWTManager(app)
    app.session_interface = NoSession()


def refresh_cookie() -> str:
    """Returns the refresh cookie. Raises Unauthorized when it is missing, Forbidden when another site caused the
    request."""
    _refuse_cross_site(request)
    token = request.cookies.get(current_app.config["JWT_REFRESH_COOKIE_NAME"])
    if not token:
        raise Unauthorized("There is no refresh cookie; sign in")
    return token


def principal_of(token: str, scope: str, shared: bool = False) -> Principal:
    """Returns the principal of an access token, API key or share token. Raises Unauthorized; Forbidden for a key
    without the scope, and for a share token where the call is not for ``shared`` runs; TooMany after many wrong
    keys."""
    return _permitted(_of_bearer(token), scope, shared)


def current(
    scope: str, *, shared: bool = False, allow_ticket: bool = False, lasts: bool = False
) -> Principal:
    """Returns the principal of this request: by bearer header, else ticket (for streams), else cookie. ``lasts``: the
    request opens a connection, which may stay open until the session ends. Raises the errors of ``principal_of``."""
    principal = _permitted(_current(allow_ticket, lasts), scope, shared)
    request.environ[WHOSE] = principal.user_id
    return principal


def of_stream(asking: AbstractContextManager[None]) -> Principal:
    """Returns the principal of a request for a stream, who may hold a share token: the caller asks ``permissions`` what
    it may read. ``asking`` encloses what may ask Postgres; another issuer is waited for before it, as that may take
    seconds. Raises the errors of ``principal_of``."""
    _wait_for_keys(_token())
    with asking:
        return current("read", shared=True, allow_ticket=True, lasts=True)


def of_handshake(credentials: Any, asking: AbstractContextManager[None]) -> Principal:
    """Returns the principal of a socket: by the token, API key, share token or ticket of its handshake, else by the
    HTTP request. All events of sockets only read, and check what a share token may read. ``asking`` and errors are
    those of ``of_stream``."""
    access_log.note_address()
    given = credentials if isinstance(credentials, dict) else {}
    token, ticket = given.get("token"), given.get("ticket")
    if isinstance(token, str) and token:
        _wait_for_keys(token)
        with asking:
            return principal_of(token, "read", shared=True)
    if isinstance(ticket, str):
        with asking:
            return _permitted(use_ticket(ticket), "read", shared=True)
    _wait_for_keys(_token())
    with asking:
        return current("read", shared=True, lasts=True)


def user_id() -> str:
    """Returns the user of this request, after ``current``."""
    return str(request.environ[WHOSE])


def refuse_key() -> None:
    """Raises Forbidden for a request with an API key or share token, where a call identifies its user by a cookie
    alone."""
    if (_bearer() or "").startswith((PREFIX, SHARE_PREFIX)):
        raise Forbidden("An API key may not do this; sign in")


def _permitted(principal: Principal, scope: str, shared: bool) -> Principal:
    access_log.concerns_caller(principal)
    permissions.require_scope(principal, scope, shared)
    return principal


def _bearer() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None


def _token() -> str | None:
    """Returns the token by which ``_current`` identifies the user; None without one."""
    token = _bearer()
    if token is None and "ticket" not in request.args:
        token = request.cookies.get(current_app.config["JWT_ACCESS_COOKIE_NAME"])
    return token


def _wait_for_keys(token: str | None) -> None:
    if token and not token.startswith((PREFIX, SHARE_PREFIX)):
        services()[Authenticator].wait_for_keys(token)


def _of_bearer(token: str) -> Principal:
    if token.startswith((PREFIX, SHARE_PREFIX)):
        return services()[KeyAuthenticator].of_key(token)
    return services()[Authenticator].of_access(token)


def _current(allow_ticket: bool, lasts: bool) -> Principal:
    token = _bearer()
    if token is not None:
        return _of_bearer(token)
    if "ticket" in request.args:
        if allow_ticket:
            return use_ticket(request.args["ticket"])
        raise Unauthorized("A ticket opens a stream only")
    cookie = request.cookies.get(current_app.config["JWT_ACCESS_COOKIE_NAME"])
    if lasts:
        return _of_cookies(cookie, request.cookies.get(STREAM_COOKIE))
    if not cookie:
        raise _missing()
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        _refuse_cross_site(request)
    return services()[Authenticator].of_access(cookie)  # a key in a cookie is refused: it is no access token


def _of_cookies(access: str | None, stream: str | None) -> Principal:
    """Returns the principal of a stream or socket, valid as long as the session: a reconnecting page may be unable to
    renew its access cookie first."""
    authenticator = services()[Authenticator]
    try:
        if not access:
            raise _missing()
        principal = authenticator.of_access(access)
    except Unauthorized:
        if not stream:
            raise
        return authenticator.of_stream(stream)
    return replace(principal, expires_at=authenticator.until(stream, principal)) if stream else principal


def _missing() -> Unauthorized:
    return Unauthorized("Send a bearer token, or sign in for a cookie")


def set_stream_cookie(response: Response, token: str, seconds: int) -> None:
    """Sets the stream cookie; an empty token deletes it."""
    response.set_cookie(
        STREAM_COOKIE,
        token,
        max_age=seconds,
        secure=services().config.cookie_secure,
        httponly=True,
        samesite="Lax",
    )


def same_host(origin: str, host: str) -> bool:
    """Compares hosts only: behind a proxy that ends TLS, the scheme differs from the browser's."""
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _refuse_cross_site(request: Request) -> None:
    """Raises Forbidden for a request that another site caused: a browser adds cookies to these too, and names their
    site.

    Programs other than browsers send neither header, and have only the cookies that they were given.
    """
    origin = request.headers.get("Origin")
    if origin and not same_host(origin, request.host) and origin not in services().config.cors_origins:
        raise Forbidden("This origin may not use the cookie")
    if not origin and request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise Forbidden("This site may not use the cookie")
