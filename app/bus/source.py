"""Where this process hears from: a web process by the hub of its viewers, any other by one of its own."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from dataclasses import dataclass

from app.config import Config
from app.stream.hub import Hub
from app.stream.store import Store

CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class Source:
    hub: Hub
    store: Store


_source: Source | None = None
_finish: Callable[[], None] | None = None
_making = threading.Lock()


def use(hub: Hub, store: Store) -> None:
    """From here on handlers are fed by this hub."""
    global _source
    _source = Source(hub, store)


def source() -> Source:
    """Raises ConfigurationError in a script that has no environment."""
    global _source
    with _making:
        if _source is None:
            _source = _own()
        return _source


def _own() -> Source:
    """Made of the environment, when somebody first subscribes."""
    from sqlalchemy import create_engine

    from app.db.breaker import Breaker
    from app.db.pool import engine_options, pooled

    config = Config.from_env()
    engine = create_engine(config.sqlalchemy_url, **engine_options(CONNECTIONS))
    store = Store(pooled(engine, Breaker("Postgres"), autocommit=True))
    hub = Hub(store, config.redis_url)
    hub.start()
    if _finish is not None:
        atexit.register(_finish)
    return Source(hub, store)


def at_exit(finish: Callable[[], None]) -> None:
    """What a process with a hub of its own does before it ends; a web process drains in its own way."""
    global _finish
    _finish = finish


def forget() -> None:
    """In a child of a fork: the parent's threads are not here."""
    global _source, _making
    _source, _making = None, threading.Lock()
