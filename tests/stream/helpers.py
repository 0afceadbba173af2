"""Streams, drafts and events for the tests of the heart."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg2
import redis
from psycopg2.extensions import cursor as Cursor

from app.db.persistent import PersistentConnection
from app.db.pool import connect_args
from app.stream.event import Draft, Event, draft, json_prefix, now, number
from app.stream.single_flight import SingleFlight
from app.stream.store import Appended, append, open_stream
from tests.support.connections import connection_pool
from tests.support.embedded import EmbeddedRedis


def sql(database: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection_pool.transaction(database) as connection, connection.cursor() as cur:
        cur.execute(statement, values)
        return cur.fetchall() if cur.description is not None else []  # it is () of SELECT FROM


def new_stream(database: str, name: str = "") -> str:
    name = name or f"task:{uuid.uuid4()}"
    with connection_pool.transaction(database) as connection, connection.cursor() as cur:
        open_stream(cur, name)
    return name


def line(stream: str, message: str = "line", attempt: int | None = None, closes: bool = False) -> Draft:
    fields = {"timestamp": now(), "level": "INFO", "message": message, "phase": None}
    return draft(stream, "log", fields, attempt=attempt, closes=closes, projected=False)


def event(stream: str, sequence: int, message: str = "line") -> Event:
    return number(line(stream, message), json_prefix(stream), sequence)


def no_projection(cur: Cursor, accepted: Sequence[tuple[Event, Draft]]) -> Sequence[Draft]:
    """For streams without a task."""
    return ()


def appended(connect: PersistentConnection, drafts: Sequence[Draft]) -> Appended:
    with connect() as connection, connection.cursor() as cur:
        return append(cur, drafts, no_projection)


# Of a connection that outlasts any stall of the machine. Who waits gives up before the server ends whom it waits for.
PATIENCE = {
    "lock_timeout": "60s",
    "statement_timeout": "120s",
    "idle_in_transaction_session_timeout": "300s",
}


def patient_single(database: str) -> PersistentConnection:
    """For a test that keeps a transaction open while others work, or has others wait: the product's own limits, of a
    few seconds each, would end it on a busy machine. It is connected already."""
    single = PersistentConnection(database, **PATIENCE)
    single._connection = psycopg2.connect(database, **connect_args(**PATIENCE) | {"connect_timeout": 60})
    return single


def messages(database: str, stream: str) -> list[str]:
    """The messages stored in the stream, in its order; an AssertionError when it has a gap."""
    rows = sql(
        database,
        """SELECT seq, payload::json ->> 'message', last_seq FROM events
           JOIN streams ON streams.id = stream_id WHERE name = %s ORDER BY seq""",
        stream,
    )
    assert [seq for seq, _, _ in rows] == list(range(1, (rows[0][2] if rows else 0) + 1))
    return [message for _, message, _ in rows]


def in_threads(works: Iterable[Callable[[], Any]], seconds: float = 60.0) -> None:
    """Runs all at once; raises the first error, and an AssertionError when one hangs."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
        assert not thread.is_alive(), f"a thread still runs after {seconds:.0f} s"
    if errors:
        raise errors[0]


class Passages:
    """Counts the threads that have asked a ``SingleFlight``: each leads a call from there on, or waits for one."""

    def __init__(self, flight: SingleFlight[Any]) -> None:
        self.count, self._lock = 0, threading.Lock()
        flight._lock = self  # type: ignore[assignment]

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.count += 1
        self._lock.release()


def pid_of(server: EmbeddedRedis) -> int:
    with redis.Redis.from_url(server.url) as client:
        return int(client.info("server")["process_id"])


def batch(stream: str, first: int, last: int, closes: bool = False) -> Appended:
    return Appended([event(stream, n) for n in range(first, last + 1)], closed={stream} if closes else set())
