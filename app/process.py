"""The transactions of this process, for functions that work in every process: notifications, the event bus.

A web process and a worker use theirs. In any other process, a script, they are made of the environment.
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
    """From here on ``transaction`` begins with ``begin``; with None again with what the environment says."""
    global _transactions
    _transactions = begin


def transaction() -> AbstractContextManager[Transaction]:
    """Begins a transaction of this process. Raises ConfigurationError in a script that has no environment; the block
    raises StoreAway."""
    return (_transactions or _of_environment())()


def share_between_threads(connect: Connect) -> Connect:
    """As ``connect``, which is for one thread, for any: they wait for each other."""
    using = threading.Lock()

    @contextmanager
    def lend() -> Iterator[Connection]:
        with using, connect() as connection:
            yield connection

    return lend


@cache
def _of_environment() -> Begin:
    config = Config.from_env()
    return Transactions(
        share_between_threads(Single(config.database_url)), project, Publisher(config.redis_url).publish
    )
