"""A worker's connections to Postgres, lent for a transaction or a session at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import connection as Connection

from app.db.pool import Single

KEPT_OPEN = 4


class Connections:
    """Any thread may borrow: as many connections are open as are lent at once, and KEPT_OPEN stay open. A call lends
    one for a transaction, as ``Connect`` describes it."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._idle: deque[Single] = deque()

    @contextmanager
    def single(self) -> Iterator[Single]:
        """Lends one connection for several transactions, to a caller that needs them in the same session."""
        try:
            single = self._idle.pop()
        except IndexError:
            single = Single(self._dsn)
        try:
            yield single
        finally:
            if len(self._idle) < KEPT_OPEN:
                self._idle.append(single)
            else:
                single.close()

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        with self.single() as connect, connect() as connection:
            yield connection
