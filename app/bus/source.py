"""The hub that handlers of this process receive events from: the web process has one, other processes create one."""

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
_lock = threading.Lock()


def use(hub: Hub, store: Store) -> None:
    """Makes handlers receive events from this hub."""
    global _source
    _source = Source(hub, store)


def source() -> Source:
    """Returns the hub and the store. Raises ConfigurationError in a script without the settings."""
    global _source
    with _lock:
        if _source is None:
            _source = _create()
        return _source


def _create() -> Source:
    """Creates a hub from the environment, at the first subscription."""
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
    """Sets the function that a process with a hub of its own calls before it ends. A web process has its own
    shutdown."""
    global _finish
    _finish = finish


def reset() -> None:
    """Drops the hub in a forked child: its threads run only in the parent."""
    global _source, _lock
    _source, _lock = None, threading.Lock()
