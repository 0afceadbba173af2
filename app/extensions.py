"""The Flask extensions, made here and bound in create_app."""

import time
from typing import Any

from flask import Flask
from flask_jwt_extended import JWTManager
from flask_limiter import Limiter
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from limits import parse

from app.limits import address, in_a_window

db = SQLAlchemy()
migrate = Migrate()
jwt = JWTManager()
# No headers of its own: they would ask Redis twice more for each request that passes.
limiter = Limiter(address, headers_enabled=False)


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


def count_failure(per_minute: int, key: str) -> float:
    """Counts a refused attempt to connect, in Redis. The seconds that this key has to wait, 0 when it need not."""
    allowed = parse(in_a_window(per_minute))
    if limiter.limiter.hit(allowed, "connect", key):
        return 0.0
    return max(1.0, limiter.limiter.get_window_stats(allowed, "connect", key).reset_time - time.time())
