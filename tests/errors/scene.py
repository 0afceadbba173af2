"""A database of the test's own behind a proxy, and what else it takes to give a session an error."""

from __future__ import annotations

import socket
import struct
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from tests.stream.helpers import sql
from tests.support.connections import connection_pool
from tests.support.line import TcpProxy
from tests.support.system import wait_for

# The others of a test wait for as long as the machine needs, and not for a limit of the server.
PATIENT = (
    "-c lock_timeout=0 -c statement_timeout=0 -c deadlock_timeout=600s "
    "-c default_transaction_isolation=serializable"
)


class Messenger(TcpProxy):
    """Replaces the next message of a client by ``garbled``, or answers it with ``answer`` instead of the server."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.garbled: bytes | None = None
        self.answer: bytes | None = None

    def _pass_on(self, data: bytes, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        if asks and self.answer:
            data, self.answer, sink = self.answer, None, source
        elif asks and self.garbled:
            data, self.garbled = self.garbled, None
        super()._pass_on(data, source, sink, asks)


def message(kind: bytes, body: bytes) -> bytes:
    """A message of Postgres's protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


class Scene:
    """``url`` leads through the proxy, ``database`` past it."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.proxy = Messenger(database)
        self.url = self.proxy.url
        self._ends = ExitStack()
        self._ends.callback(self.proxy.close)
        self.name = database.rpartition("/")[2]

    def close(self) -> None:
        self._ends.close()

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return sql(self.database, statement, *values)

    def apart(self, statement: str) -> None:
        """Runs the statement in no transaction, and from a database that it may change."""
        connection_pool.close(self.database)
        elsewhere = self.database.rpartition("/")[0] + "/postgres"
        with closing(psycopg2.connect(elsewhere)) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)

    @contextmanager
    def other(self) -> Iterator[Cursor]:
        """A second session, in a serializable transaction that is undone at the end."""
        connection: Connection = psycopg2.connect(self.database, options=PATIENT)
        with closing(connection), connection.cursor() as cur:
            yield cur

    def beside(self, function: Callable[[], object]) -> threading.Thread:
        """Runs the function in a thread, whose end the test waits for."""
        thread = threading.Thread(target=function, daemon=True)
        thread.start()
        self._ends.callback(thread.join, 60)
        return thread

    def at_the_end(self, function: Callable[[], object]) -> None:
        self._ends.callback(function)

    def waits(self, pid: int, event: str) -> None:
        """Waits until that session waits for ``event``, as pg_stat_activity calls it."""
        asked = "SELECT FROM pg_stat_activity WHERE pid = %s AND %s IN (wait_event, wait_event_type)"
        wait_for(f"a session that waits for {event}", lambda: self.sql(asked, pid, event))

    def file_of(self, table: str) -> Path:
        """The file of a new, empty table, which no session has opened but the one that made it."""
        self.sql(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (line text)")
        connection_pool.close(self.database)
        ((folder, path),) = self.sql(
            "SELECT current_setting('data_directory'), pg_relation_filepath(%s)", table
        )
        connection_pool.close(self.database)
        return Path(str(folder), str(path))

    def full_disk(self, table: str) -> None:
        """Makes an empty table that no row can be added to."""
        file = self.file_of(table)
        file.unlink()
        file.symlink_to("/dev/full")

    def role(self, attributes: str = "") -> tuple[str, str]:
        """Returns a role that may read and write all rows and is no superuser, and a URL of its own."""
        name = f"role_{uuid.uuid4().hex}"
        self.sql(
            f"""CREATE ROLE {name} LOGIN PASSWORD 'right' {attributes};
                GRANT pg_read_all_data, pg_write_all_data TO {name}"""
        )
        self.at_the_end(lambda: self.sql(f"DROP OWNED BY {name}; DROP ROLE {name}"))
        url = urlsplit(self.url)
        return name, url._replace(netloc=f"{name}:right@{url.netloc.rpartition('@')[2]}").geturl()


def pid_of(cur: Cursor) -> int:
    return int(cur.connection.info.backend_pid)
