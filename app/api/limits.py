"""Limits per minute, by user and by address, of calls that cost something; the configuration has the numbers."""

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

from app.auth import access_log, identity
from app.config import Config
from app.http.attempts import ADDRESS_FACTOR, too_many
from app.http.rate_limits import address, limiter, per_window
from app.jobs.step_params import steps_in
from app.services import services
from app.tasks.budget import check

View = Callable[..., Any]


def _limited(
    scope: str, per_minute: Callable[[Config], int], key: Callable[[], str]
) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        # The user's limit first: calls over it must not count for the address, which others share.
        view = limiter.shared_limit(lambda: per_window(per_minute(services().config)), scope, key_func=key)(
            view
        )
        return limiter.shared_limit(
            lambda: per_window(per_minute(services().config) * ADDRESS_FACTOR), scope, key_func=address
        )(view)

    return decorate


def _refresher() -> str:
    """Returns the user of the refresh cookie. Only a valid one counts for its user: others could use up the limit."""
    cookie = request.cookies.get(current_app.config["JWT_REFRESH_COOKIE_NAME"], "")
    try:
        user_id = str(decode_token(cookie)["sub"])
    except (PyJWTError, JWTExtendedException, KeyError, ValueError, TypeError, AttributeError):
        return f"unknown at {address()}"
    access_log.concerns(user_id)
    return user_id


# These stand below the decorator that identifies the user.
starts = _limited("start", lambda config: config.starts_per_minute, identity.user_id)
changes = _limited("change", lambda config: config.changes_per_minute, identity.user_id)
tickets = _limited("ticket", lambda config: config.tickets_per_minute, identity.user_id)
refreshes = _limited("refresh", lambda config: config.tickets_per_minute, _refresher)


def steps(params: Mapping[str, Any]) -> None:
    """Counts the steps in the parameters of a start: each becomes a task. Raises TooMany."""
    count, config = steps_in(params), services().config
    if not count or config.bench:
        return
    for key, per_minute in (
        (identity.user_id(), config.steps_per_minute),
        (address(), config.steps_per_minute * ADDRESS_FACTOR),
    ):
        allowed = parse(per_window(per_minute))
        # A refused start is not counted: a smaller one may be within the limit.
        if not limiter.limiter.test(allowed, "steps", key, cost=count):
            until = limiter.limiter.get_window_stats(allowed, "steps", key).reset_time
            raise too_many(until - time.time())
        limiter.limiter.hit(allowed, "steps", key, cost=count)


def budget(cur: Cursor, user_id: str) -> None:
    """Raises TooMany when the user has stored its limit of bytes today."""
    check(cur, user_id, services().config.daily_budget)
