"""Connections to Postgres: the web's pool, and single ones for a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

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


def pooled(engine: Engine, autocommit: bool = False) -> Connect:
    """Lends connections of the engine's pool, for a transaction or, with ``autocommit``, for single reads:
    those need no BEGIN and COMMIT, which are two of three round trips."""

    @contextmanager
    def connect() -> Iterator[Connection]:
        try:
            lent = engine.raw_connection()
        except (*AWAY, DBAPIError, PoolTimeout) as error:
            raise StoreAway(_first_line(error)) from error
        raw, broken = lent.driver_connection, False
        assert raw is not None
        try:
            raw.autocommit = autocommit
            # psycopg2's own block commits or rolls back; it would begin a transaction under autocommit too.
            with nullcontext() if autocommit else raw:
                yield raw
        except psycopg2.Error as error:
            # A green connection that the server closed can raise any of them.
            if not (isinstance(error, AWAY) or raw.closed):
                raise
            broken = bool(raw.closed)
            raise StoreAway(_first_line(error)) from error
        except BaseException as error:
            if not isinstance(error, Exception):
                # The greenlet was ended in the middle of a statement, which runs on in the server.
                lent.invalidate()
            raise
        finally:
            if broken:
                # The others are most likely gone too; without this each would cost somebody an error.
                lent.invalidate()
                engine.dispose(close=False)
            else:
                lent.close()

    return connect


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
            with self._connection:
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
