"""How often a user, and an address, may call in a minute what costs something; the configuration has the figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import current_app, request
from flask_jwt_extended import decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError

from app import auth
from app.config import Config
from app.extensions import limiter
from app.limits import AN_ADDRESS_MAY, address, in_a_window
from app.services import services

View = Callable[..., Any]


def _limited(
    scope: str, per_minute: Callable[[Config], int], who: Callable[[], str]
) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        # The user's own first: who is over it uses up nothing of the neighbours'.
        view = limiter.shared_limit(lambda: in_a_window(per_minute(services().config)), scope, key_func=who)(
            view
        )
        return limiter.shared_limit(
            lambda: in_a_window(per_minute(services().config) * AN_ADDRESS_MAY), scope, key_func=address
        )(view)

    return decorate


def _caller() -> str:
    return auth.current().user_id


def _refresher() -> str:
    """Whose refresh cookie it is. Only a genuine one counts against its user, or anybody could use that up."""
    cookie = request.cookies.get(current_app.config["JWT_REFRESH_COOKIE_NAME"], "")
    try:
        return str(decode_token(cookie)["sub"])
    except (PyJWTError, JWTExtendedException, KeyError, ValueError, TypeError, AttributeError):
        return f"nobody at {address()}"


starts = _limited("start", lambda config: config.starts_per_minute, _caller)
tickets = _limited("ticket", lambda config: config.tickets_per_minute, _caller)
refreshes = _limited("refresh", lambda config: config.tickets_per_minute, _refresher)
