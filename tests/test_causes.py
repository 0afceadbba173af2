"""Errors that a real Postgres gives, one after the other: what each means, and that none of them costs an event."""

from __future__ import annotations

import errno
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor
from redis import exceptions as redis
from sqlalchemy import create_engine

from app.db.breaker import Breaker
from app.db.persistent import PersistentConnection
from app.db.pool import engine_options, pooled
from app.errors import causes
from app.stream import writer as writers
from app.stream.store import Connect, DatabaseUnavailable
from app.stream.writer import Writer
from tests.stream.helpers import line, messages, new_stream, sql
from tests.support.system import wait_for

pytestmark = pytest.mark.slow


def raised(state: str) -> str:
    """For what cannot be had on a healthy machine: the server says it all the same."""
    return f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$"


# SQLSTATE, what brings it about in the middle of a transaction, what it means, and whether it opens the breaker.
PASSES = [
    ("25006", "SET TRANSACTION READ ONLY; UPDATE streams SET last_seq = last_seq", "READ_ONLY", False),
    ("25P03", raised("25P03"), "SESSION_BROKEN", False),
    ("40001", raised("40001"), "BUSY", False),
    ("40P01", raised("40P01"), "BUSY", False),
    ("42P01", "SELECT FROM nowhere", "NOT_READY", False),
    ("53100", raised("53100"), "BUSY", False),
    ("53200", raised("53200"), "BUSY", False),
    ("53300", raised("53300"), "BUSY", False),
    ("55P03", "SET LOCAL lock_timeout = 10; LOCK TABLE held", "BUSY", False),
    ("57014", "SELECT pg_cancel_backend(pg_backend_pid()); SELECT pg_sleep(60)", "BUSY", False),
    ("57P01", raised("57P01"), "UNAVAILABLE", True),
    ("58030", raised("58030"), "SESSION_BROKEN", False),
    ("XX000", raised("XX000"), "SESSION_BROKEN", False),
    # The driver finds the end of the connection before it reads why: there is no SQLSTATE then.
    ("", "SET LOCAL idle_in_transaction_session_timeout = 10", "UNAVAILABLE", True),
    ("", "SELECT pg_terminate_backend(pg_backend_pid()); SELECT pg_sleep(60)", "UNAVAILABLE", True),
]
IDS = [state or statement.split()[2] for state, statement, *_ in PASSES]


class Trouble:
    """Gives its error as often as asked, to whoever runs ``now`` in a transaction of its own."""

    def __init__(self, database: str, statement: str, times: int = 1) -> None:
        self.database, self.statement, self.left = database, statement, times
        self.seen: list[str] = []

    def now(self, cur: Cursor) -> None:
        if not self.left:
            return
        self.left -= 1
        try:
            cur.execute(self.statement)
            if "idle_in_transaction" in self.statement:
                pid = cur.connection.info.backend_pid
                there = "SELECT FROM pg_stat_activity WHERE pid = %s"
                wait_for("the server to end the session", lambda: not sql(self.database, there, pid))
            cur.execute("SELECT 1")
        except psycopg2.Error as error:
            self.seen.append(error.pgcode or "")
            raise


@pytest.fixture
def held(database: str) -> Iterator[str]:
    """The database, with a table that somebody holds."""
    sql(database, "CREATE TABLE held ()")
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cur:
        cur.execute("LOCK TABLE held")
        yield database


@pytest.mark.parametrize(("state", "statement", "cause", "opens"), PASSES, ids=IDS)
def test_the_writer_waits_and_stores_every_event(
    held: str, monkeypatch: pytest.MonkeyPatch, state: str, statement: str, cause: str, opens: bool
):
    monkeypatch.setattr(writers, "RETRY_SECONDS", (0.001, 0.002))
    stream, trouble = new_stream(held), Trouble(held, statement, times=3)
    project: Callable[..., tuple[()]] = lambda cur, events: trouble.now(cur) or ()  # noqa: E731
    connect = PersistentConnection(held)
    given = Writer(connect, project, lambda appended: None)

    for n in range(50):
        given.put(line(stream, str(n)))
    assert given.close(60)
    connect.close()

    assert trouble.seen == [state] * 3, "it was as bad as it was meant to be"
    assert messages(held, stream) == [str(n) for n in range(50)]
    assert given.refused == 0 and given.failures == 3


@pytest.mark.parametrize(("state", "statement", "cause", "opens"), PASSES, ids=IDS)
def test_a_single_connection_says_that_it_passes_and_is_made_anew(
    held: str, state: str, statement: str, cause: str, opens: bool
):
    connect, trouble = PersistentConnection(held), Trouble(held, statement)
    before = backend(connect)

    with pytest.raises(DatabaseUnavailable) as raised, connect() as connection, connection.cursor() as cur:
        trouble.now(cur)

    assert trouble.seen == [state] and raised.value.cause.name == cause
    assert backend(connect) != before
    connect.close()


@pytest.mark.parametrize(("state", "statement", "cause", "opens"), PASSES, ids=IDS)
def test_the_pool_says_that_it_passes_and_only_an_outage_opens_the_breaker(
    held: str, state: str, statement: str, cause: str, opens: bool
):
    engine = create_engine(held.replace("postgresql:", "postgresql+psycopg2:", 1), **engine_options(2))
    breaker, trouble = Breaker("Postgres", 0.0), Trouble(held, statement)
    connect = pooled(engine, breaker)

    with pytest.raises(DatabaseUnavailable) as raised, connect() as connection, connection.cursor() as cur:
        trouble.now(cur)

    assert trouble.seen == [state] and raised.value.cause.name == cause
    assert breaker.openings == int(opens)
    backend(connect)  # the next one is served
    engine.dispose()


def test_no_connection_left_is_known_by_what_the_server_says(database: str):
    role = f"crowded_{uuid.uuid4().hex}"
    sql(database, f"CREATE ROLE {role} LOGIN PASSWORD 'crowded' CONNECTION LIMIT 0")
    url = urlsplit(database)
    url = url._replace(netloc=f"{role}:crowded@{url.netloc.rpartition('@')[2]}")
    try:
        with pytest.raises(DatabaseUnavailable) as raised, PersistentConnection(url.geturl())():
            pass
    finally:
        sql(database, f"DROP ROLE {role}")

    assert isinstance(raised.value.__cause__, psycopg2.OperationalError)
    assert causes.sqlstate(raised.value.__cause__) == "53300"
    assert raised.value.cause.name == "BUSY", "the server lives"


@pytest.mark.parametrize(
    ("state", "statement"),
    [
        ("22012", "SELECT 1 / 0"),
        ("22P05", raised("22P05")),
        ("23514", "INSERT INTO checked VALUES (0)"),
        ("23505", "INSERT INTO checked VALUES (1), (1)"),
    ],
)
def test_only_what_speaks_of_the_data_is_blamed_on_an_event(database: str, state: str, statement: str):
    sql(database, "CREATE TABLE checked (n int PRIMARY KEY CHECK (n > 0))")
    stream, seen = new_stream(database), list[str | None]()

    def project(cur: Cursor, events: list[tuple[object, object]]) -> tuple[()]:
        if any("bad" in str(event) for event, _ in events):
            try:
                cur.execute(statement)
            except psycopg2.Error as error:
                seen.append(error.pgcode)
                raise
        return ()

    connect = PersistentConnection(database)
    given = Writer(connect, project, lambda appended: None)  # type: ignore[arg-type]
    for text in ("first", "bad", "last"):
        given.put(line(stream, text))
    assert given.close(60)
    before = backend(connect)

    assert set(seen) == {state}
    assert messages(database, stream) == ["first", "An event of type log could not be stored", "last"]
    with pytest.raises(psycopg2.Error), connect() as connection, connection.cursor() as cur:
        cur.execute(statement)
    assert backend(connect) == before, "nothing is wrong with the connection"
    connect.close()


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_fault_of_ours_is_no_outage_and_no_events_fault(database: str, autocommit: bool):
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg2:", 1), **engine_options(1))
    breaker = Breaker("Postgres", 0.0)
    with (
        pytest.raises(psycopg2.errors.SyntaxError) as raised,
        pooled(engine, breaker, autocommit)() as connection,
        connection.cursor() as cur,
    ):
        cur.execute("SELECT FROM FROM")
    engine.dispose()

    assert causes.of(raised.value).name == "BUG" and breaker.openings == 0


def test_a_lease_is_renewed_while_a_batch_waits(database: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writers, "RETRY_SECONDS", (0.001, 0.002))
    stream, ticks, healed = new_stream(database), list[int](), threading.Event()

    def project(cur: Cursor, events: object) -> tuple[()]:
        if not healed.is_set():
            cur.execute(raised("53100"))
        return ()

    connect = PersistentConnection(database)
    given = Writer(
        connect, project, lambda appended: None, tick=lambda cur: ticks.append(1), tick_seconds=0.001
    )
    given.put(line(stream, "waits"))
    wait_for("the batch to fail", lambda: given.failures)
    before = len(ticks)

    wait_for("three renewals", lambda: len(ticks) >= before + 3)

    healed.set()
    assert given.close(60) and messages(database, stream) == ["waits"]
    connect.close()


SHORT = [
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOBUFS,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.EROFS,
]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        *((OSError(number, "as asked"), "OUT_OF_RESOURCES") for number in SHORT),
        *(
            (OSError(number, "as asked"), "UNAVAILABLE")
            for number in (errno.ECONNREFUSED, errno.EPIPE, errno.EHOSTUNREACH)
        ),
        (TimeoutError("timed out"), "UNAVAILABLE"),
        (MemoryError(), "OUT_OF_RESOURCES"),
        (RuntimeError("can't start new thread"), "OUT_OF_RESOURCES"),
        (FileNotFoundError(errno.ENOENT, "as asked"), "BUG"),
        (RuntimeError("as asked"), "BUG"),
        ("\ud800", "INVALID_DATA"),
        (redis.ConnectionError("refused"), "UNAVAILABLE"),
        (redis.BusyLoadingError("loading"), "UNAVAILABLE"),
        (redis.ReadOnlyError("You can't write against a read only replica."), "READ_ONLY"),
        (redis.OutOfMemoryError("command not allowed"), "OUT_OF_RESOURCES"),
        (redis.ResponseError("MISCONF Redis is configured to save RDB snapshots"), "OUT_OF_RESOURCES"),
        (redis.AuthenticationError("no"), "NOT_READY"),
        (redis.ResponseError("unknown command"), "BUG"),
        (psycopg2.InterfaceError("connection already closed"), "UNAVAILABLE"),
        (psycopg2.OperationalError("FATAL:  sorry, too many clients already"), "BUSY"),
        (psycopg2.OperationalError("FATAL:  the database system is starting up"), "UNAVAILABLE"),
        (psycopg2.ProgrammingError("can't adapt type 'object'"), "INVALID_DATA"),
    ],
    ids=str,
)
def test_what_needs_no_server_to_be_told(error: Exception | str, cause: str):
    if isinstance(error, str):
        with pytest.raises(UnicodeEncodeError) as encoding:
            error.encode()
        error = encoding.value

    assert causes.of(error).name == cause


def backend(connect: Connect) -> int:
    with connect() as connection:
        return int(connection.info.backend_pid)
