"""The transactions of this process, for functions that run in any process: notifications and the event bus.

A web process and a worker set their own. A script has none set, so its transactions follow the environment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache

from psycopg2.extensions import connection as Connection

from app.config import Config
from app.db.pool import Single
from app.projections import project
from app.stream.publisher import Publisher
from app.stream.store import Connect
from app.stream.transaction import Begin, Transaction, Transactions

_transactions: Begin | None = None


def use_transactions(begin: Begin | None) -> None:
    """Makes ``transaction`` begin with ``begin`` from now on; None returns to the environment's settings."""
    global _transactions
    _transactions = begin


def transaction() -> AbstractContextManager[Transaction]:
    """Begins a transaction of this process. Raises ConfigurationError in a script without the environment variables;
    the block raises DatabaseUnavailable."""
    return (_transactions or _from_environment())()


def share_between_threads(connect: Connect) -> Connect:
    """Returns a ``connect`` that any thread may call, made of one for a single thread: the threads wait in line."""
    lock = threading.Lock()

    @contextmanager
    def lend() -> Iterator[Connection]:
        with lock, connect() as connection:
            yield connection

    return lend


@cache
def _from_environment() -> Begin:
    config = Config.from_env()
    return Transactions(
        share_between_threads(Single(config.database_url)), project, Publisher(config.redis_url).publish
    )
