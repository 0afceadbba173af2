"""The Flask extensions, made here and bound in create_app."""

from typing import Any

from flask import Flask
from flask_jwt_extended import JWTManager
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
migrate = Migrate()
jwt = JWTManager()
# Failing open: with Redis away people can still sign in; the limiter logs the failure.
limiter = Limiter(get_remote_address, swallow_errors=True, headers_enabled=True)


def limit_in(blueprint: str, app: Flask) -> None:
    """Binds the limiter to the calls of one blueprint: its hooks would cost every other request a tenth of a
    millisecond to find that it has no limit."""
    everywhere: tuple[dict[str | None, list[Any]], ...] = (
        app.before_request_funcs,
        app.after_request_funcs,
        app.teardown_request_funcs,
    )
    before = [list(hooks[None]) for hooks in everywhere]
    limiter.init_app(app)
    for hooks, kept in zip(everywhere, before, strict=True):
        hooks[blueprint] += [hook for hook in hooks[None] if hook not in kept]
        hooks[None] = kept
