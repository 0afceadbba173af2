"""Connections to Postgres of threads and scripts, for which the pool of a web process is too much."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2.extensions import connection as Connection

from app.db.pool import connect_args, in_transaction
from app.errors import causes
from app.errors.causes import Cause
from app.stream.store import DatabaseUnavailable

KEPT_OPEN = 4


class PersistentConnection:
    """One connection for one thread, opened at the first use and again after a failure."""

    def __init__(self, dsn: str, **limits: str) -> None:
        self._dsn, self._limits = dsn, limits
        self._connection: Connection | None = None

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg2.connect(self._dsn, **connect_args(**self._limits))
            with in_transaction(self._connection):
                yield self._connection
        except psycopg2.Error as error:
            cause = causes.of(error)
            if cause is not Cause.INVALID_DATA:
                self.close()
            if cause.is_temporary:
                raise DatabaseUnavailable(causes.first_line(error), cause) from error
            raise

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None


class PersistentConnections:
    """Any thread may borrow: as many connections are open as are lent at once, and KEPT_OPEN stay open. A call lends
    one for a transaction, as ``Connect`` describes it."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._idle: deque[PersistentConnection] = deque()

    @contextmanager
    def one(self) -> Iterator[PersistentConnection]:
        """Lends one connection for several transactions, to a caller that needs them in the same session."""
        try:
            connect = self._idle.pop()
        except IndexError:
            connect = PersistentConnection(self._dsn)
        try:
            yield connect
        finally:
            if len(self._idle) < KEPT_OPEN:
                self._idle.append(connect)
            else:
                connect.close()

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        with self.one() as connect, connect() as connection:
            yield connection
