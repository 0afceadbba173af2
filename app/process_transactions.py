"""The transactions of this process, for functions that run in any process: notifications and the event bus.

A web process and a worker set their own. A script has none set, so its transactions follow the environment.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from app.config import Config
from app.db.persistent import PersistentConnections
from app.projections import project
from app.stream.publisher import Publisher
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


@cache
def _from_environment() -> Begin:
    config = Config.from_env()
    connect = PersistentConnections(config.database_url)
    return Transactions(connect, project, Publisher(config.redis_url).publish)
