"""A pool of Postgres connections for tests: a connect takes both sides ten times as long as most statements."""

from __future__ import annotations

import os
import select
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection

MAX_IDLE = 4  # of this process; beyond it the least recently used connection is closed


class ConnectionPool:
    """Idle connections by URL, for all threads. A forked child starts with none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = 0
        self._idle: OrderedDict[tuple[str, int], Connection] = OrderedDict()

    @contextmanager
    def transaction(self, url: str) -> Iterator[Connection]:
        """Lends a connection with a transaction."""
        connection = self._take(url) or psycopg2.connect(url)
        try:
            with connection:
                yield connection
        finally:
            self._give_back(url, connection)

    @contextmanager
    def autocommit(self, url: str) -> Iterator[Connection]:
        """Lends a connection for statements that no transaction may contain."""
        connection = self._take(url) or psycopg2.connect(url)
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.autocommit = False
            self._give_back(url, connection)

    def close(self, url: str) -> None:
        """Closes the idle connections to ``url``: Postgres copies no database that has connections."""
        while connection := self._take(url):
            connection.close()

    def _take(self, url: str) -> Connection | None:
        with self._lock:
            if self._process != os.getpid():
                self._process, self._idle = os.getpid(), OrderedDict()
            mine = [key for key in self._idle if key[0] == url]
            if not mine:
                return None
            connection = self._idle.pop(mine[-1])
        # To an idle connection the server sends only the notice of its end.
        if connection.closed or select.select([connection], [], [], 0)[0]:
            connection.close()
            return self._take(url)
        return connection

    def _give_back(self, url: str, connection: Connection) -> None:
        if connection.closed or connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
            connection.close()
            return
        oldest = None
        with self._lock:
            self._idle[url, id(connection)] = connection
            if len(self._idle) > MAX_IDLE:
                _, oldest = self._idle.popitem(last=False)
        if oldest is not None:
            oldest.close()


connection_pool = ConnectionPool()
