"""How often a user, and an address, may call in a minute what costs something; the configuration has the figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import current_app, request
from flask_jwt_extended import decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError
from limits import parse
from psycopg2.extensions import cursor as Cursor

from app.auth import identity
from app.config import Config
from app.http.attempts import ADDRESS_FACTOR, too_many
from app.http.rate_limits import address, limiter, per_window
from app.services import services
from app.tasks.budget import check

View = Callable[..., Any]


def _limited(
    scope: str, per_minute: Callable[[Config], int], who: Callable[[], str]
) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        # The user's own first: who is over it uses up nothing of the neighbours'.
        view = limiter.shared_limit(lambda: per_window(per_minute(services().config)), scope, key_func=who)(
            view
        )
        return limiter.shared_limit(
            lambda: per_window(per_minute(services().config) * ADDRESS_FACTOR), scope, key_func=address
        )(view)

    return decorate


def _caller() -> str:
    return identity.current().user_id


def _refresher() -> str:
    """Whose refresh cookie it is. Only a genuine one counts against its user, or anybody could use that up."""
    cookie = request.cookies.get(current_app.config["JWT_REFRESH_COOKIE_NAME"], "")
    try:
        return str(decode_token(cookie)["sub"])
    except (PyJWTError, JWTExtendedException, KeyError, ValueError, TypeError, AttributeError):
        return f"nobody at {address()}"


starts = _limited("start", lambda config: config.starts_per_minute, _caller)
changes = _limited("change", lambda config: config.changes_per_minute, _caller)
tickets = _limited("ticket", lambda config: config.tickets_per_minute, _caller)
refreshes = _limited("refresh", lambda config: config.tickets_per_minute, _refresher)


def steps(params: Mapping[str, Any]) -> None:
    """Counts the steps that a start asks for with these parameters, for each becomes a task. Raises TooMany."""
    count, config = _steps_in(params), services().config
    if not count or config.bench:
        return
    for key, per_minute in (
        (_caller(), config.steps_per_minute),
        (address(), config.steps_per_minute * ADDRESS_FACTOR),
    ):
        allowed = parse(per_window(per_minute))
        # What is refused is not counted: a smaller start may still have room.
        if not limiter.limiter.test(allowed, "steps", key, cost=count):
            until = limiter.limiter.get_window_stats(allowed, "steps", key).reset_time
            raise too_many(until - time.time())
        limiter.limiter.hit(allowed, "steps", key, cost=count)


def budget(cur: Cursor, user_id: str) -> None:
    """Raises OverBudget when no more is stored for this user today."""
    config = services().config
    check(cur, user_id, 0 if config.bench else config.daily_bytes)


def _steps_in(params: Mapping[str, Any]) -> int:
    """Those within others too. The parameters were checked: they are not deep."""
    asked = params.get("steps")
    found = [step for step in asked if isinstance(step, dict)] if isinstance(asked, list) else []
    return len(found) + sum(
        _steps_in(step["params"]) for step in found if isinstance(step.get("params"), dict)
    )
