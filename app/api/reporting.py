"""Requests with events, whose bodies are large: they have a concurrency of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from app.auth import identity
from app.auth.principal import Principal
from app.http.concurrency import ReportConcurrency
from app.services import services

View = Callable[..., Any]


def reporting(check: Callable[..., object]) -> Callable[[View], View]:
    """Calls the view with the Principal as first argument. Before the body is read, ``check`` gets the principal and
    the arguments of the address and may raise; then the request waits for a slot of the user. A body that arrives
    slowly takes no slot for storing."""

    def decorator(view: View) -> View:
        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            principal: Principal = identity.current()
            check(principal, **{name: str(value) for name, value in kwargs.items()})
            with services()[ReportConcurrency].slot(principal.user_id) as storing:
                request.get_data()  # Flask keeps it for the parser
                with storing:
                    return view(principal, *args, **kwargs)

        return wrapped

    return decorator
