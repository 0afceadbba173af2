"""Connections to Postgres: the web's pool, and single ones for a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection

from app import green
from app.breaker import Breaker, Refused
from app.stream.store import Connect, StoreAway

AWAY = (psycopg2.OperationalError, psycopg2.InterfaceError)

# A process stopped in the middle of a transaction would hold its stream's lock for ever and block
# cancel and the reaper with it; the server ends such a session.
SERVER_LIMITS = {
    "idle_in_transaction_session_timeout": "3s",
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "tcp_user_timeout": "5s",
}

# A request waits so long for a connection that others use,
POOL_SECONDS = 2.0
# the server so long for a statement: longer than for an idle transaction, behind whose lock it may wait,
POOLED_STATEMENT = "4s"
# and we so long for the server. It comes after the server's own limit, so that a slow query is never taken for an
# outage: who says that a statement took too long is there. A server that is stopped, or cut off, says nothing.
ANSWER_SECONDS = 5.0
TRIAL_SECONDS = 2.0  # all others are refused meanwhile


def connect_args(**more: str) -> dict[str, Any]:
    """Arguments of psycopg2.connect: time limits on both ends of the connection."""
    limits = SERVER_LIMITS | more
    return {
        "connect_timeout": 3,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
    }


def engine_options(size: int) -> dict[str, Any]:
    """The web's pool, as SQLAlchemy takes it."""
    return {
        "connect_args": connect_args(statement_timeout=POOLED_STATEMENT),
        "pool_size": size,
        "max_overflow": 0,
        "pool_timeout": POOL_SECONDS,
        "pool_use_lifo": True,
    }


def pooled(engine: Engine, breaker: Breaker, autocommit: bool = False) -> Connect:
    """Lends connections of the engine's pool, for a transaction or, with ``autocommit``, for single reads:
    those need no BEGIN and COMMIT, which are two of three round trips. While Postgres is away it refuses at once."""

    @contextmanager
    def connect() -> Iterator[Connection]:
        try:
            call = breaker.enter()
        except Refused as error:
            raise StoreAway(str(error)) from error
        seconds = TRIAL_SECONDS if call.tries else ANSWER_SECONDS
        lent: PoolProxiedConnection | None = None
        ended = False
        try:
            with green.limit(seconds, StoreAway(f"no answer in {seconds:.0f} s")):
                lent = engine.raw_connection()
                raw = lent.driver_connection
                assert raw is not None
                raw.autocommit = autocommit
                with _transaction(raw):
                    yield raw
        except Exception as error:
            closed = lent is not None and _closed(lent)
            if isinstance(error, (*AWAY, DBAPIError, PoolTimeout)) or lent is None or closed:
                busy = isinstance(error, PoolTimeout)
                why = f"no connection came free in {POOL_SECONDS:.0f} s" if busy else _first_line(error)
                # An SQLSTATE is a server's word, so it lives, unless it is on its way down or up (57P).
                state = getattr(getattr(error, "orig", error), "pgcode", None)
                if state is not None and not state.startswith("57P"):
                    breaker.answered(call)
                elif breaker.failed(call, why) and closed:
                    # The others are most likely gone too; without this each would cost somebody an error.
                    engine.dispose(close=False)
                raise StoreAway(why) from error
            breaker.answered(call)
            raise
        except BaseException:
            ended = True  # this greenlet, in the middle of a statement, which runs on in the server
            breaker.left(call)
            raise
        else:
            breaker.answered(call)
        finally:
            if lent is not None:
                if ended or _closed(lent):
                    lent.invalidate()
                else:
                    lent.close()

    return connect


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """psycopg2's own block begins a transaction under autocommit too, and hides the reason why it was closed."""
    try:
        yield
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
    connection.commit()


def _closed(lent: PoolProxiedConnection) -> bool:
    return lent.driver_connection is None or bool(lent.driver_connection.closed)


class Single:
    """One connection for one thread, opened when first needed and again after a failure."""

    def __init__(self, dsn: str, **limits: str) -> None:
        self._dsn, self._limits = dsn, limits
        self._connection: Connection | None = None

    def __call__(self) -> AbstractContextManager[Connection]:
        return self._lend()

    @contextmanager
    def _lend(self) -> Iterator[Connection]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg2.connect(self._dsn, **connect_args(**self._limits))
            with _transaction(self._connection):
                yield self._connection
        except AWAY as error:
            self.close()
            raise StoreAway(_first_line(error)) from error

    def close(self) -> None:
        if self._connection is not None:
            with suppress(*AWAY):
                self._connection.close()
            self._connection = None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
