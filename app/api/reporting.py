"""Requests with events, whose bodies are large: they have a concurrency of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from app.auth import identity
from app.http.base import without_parameters
from app.http.concurrency import ReportConcurrency
from app.http.scopes import View, declared
from app.services import services


def reporting(
    check: Callable[..., object], body: Callable[[], bytes] = lambda: request.get_data()
) -> Callable[[View], View]:
    """Calls the view with the Principal as first argument, for API keys with the scope ``report``. Before the body is
    read, ``check`` gets the principal and the arguments of the address and may raise; then the request waits for a slot
    of the user. A body that arrives slowly takes no slot for storing. ``body`` returns it as it will be parsed, again
    in the view."""

    def decorator(view: View) -> View:
        view = without_parameters(view)

        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            principal = identity.current("report")
            check(principal, **{name: str(value) for name, value in kwargs.items()})
            with services()[ReportConcurrency].slot(principal.user_id) as storing, storing(len(body())):
                return view(principal, *args, **kwargs)

        return declared("report")(wrapped)

    return decorator
