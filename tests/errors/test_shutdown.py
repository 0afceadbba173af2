"""A Postgres of the test's own that is full, shut down, or loses a process: its sessions wait, and nothing is lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from app.db.persistent import PersistentConnection
from app.errors import causes
from app.stream.store import DatabaseUnavailable
from app.stream.writer import Writer
from app.up.home import Home
from tests.errors.table import cause_of
from tests.errors.test_connects import openings, refusal, state_of
from tests.stream.helpers import line, messages, new_stream
from tests.support.connections import connection_pool
from tests.support.embedded import EmbeddedPostgres
from tests.support.system import System, wait_for

pytestmark = pytest.mark.slow

SESSIONS, FOR_SUPERUSERS = 9, 3


class Small(EmbeddedPostgres):
    """Its role is a superuser, to see who waits for what."""

    rights = "SUPERUSER"

    def __init__(self, home: Home) -> None:
        super().__init__(home, max_connections=SESSIONS)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """It runs before and after each test."""
    folder = tmp_path_factory.mktemp("small")
    home = Home.open(folder)
    with Small(home) as server:
        System(server.url, "redis://127.0.0.1:1/0", folder).migrate()
        yield server
        connection_pool.close(server.url)


def sql(small: Small, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(small.url)) as connection, connection.cursor() as cur:
        cur.execute(statement, values)
        found = cur.fetchall() if cur.description else []
        connection.commit()
    return found


def sleeping(small: Small) -> list[tuple[object, ...]]:
    return sql(small, "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'")


@pytest.mark.parametrize(
    ("user", "others", "text"),
    [("taskroom", SESSIONS, "too many clients"), ("weak", SESSIONS - FOR_SUPERUSERS, "reserved")],
)
def test_a_server_without_a_free_connection(small: Small, user: str, others: int, text: str):
    if user == "weak":
        sql(small, "CREATE ROLE weak LOGIN PASSWORD 'weak'")
    url = (
        small.url
        if user == "taskroom"
        else small.url.replace(small.url.split("@")[0], "postgresql://weak:weak")
    )
    crowd: list[Connection] = []

    def is_full() -> bool:
        with suppress(psycopg2.OperationalError):  # sessions of an earlier test may still have their places
            crowd.append(psycopg2.connect(url))
        return len(crowd) == others

    try:
        wait_for("a full server", is_full)
        error, opened = refusal(url), openings(url)
    finally:
        for each in crowd:
            each.close()

    assert text in str(error) and state_of(error) == "53300"
    assert error.cause.value == cause_of("53300") and opened == 0


def shut_down(small: Small) -> None:
    small.stop()


def lose_a_process(small: Small) -> None:
    """Postgres ends all its sessions then, and recovers."""
    ((pid,),) = sleeping(small)
    os.kill(int(str(pid)), signal.SIGKILL)


@pytest.mark.parametrize("ends", [shut_down, lose_a_process])
def test_a_session_is_ended_by_the_server(small: Small, ends: Callable[[Small], None]):
    """The driver passes on neither its SQLSTATE (57P01, 57P02) nor its text."""
    connect, errors = PersistentConnection(small.url, statement_timeout="0"), list[Exception]()

    def sleep() -> None:
        try:
            with connect() as connection, connection.cursor() as cur:
                cur.execute("SELECT pg_sleep(600)")
        except DatabaseUnavailable as error:
            errors.append(error)

    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    wait_for("the session to sleep", lambda: sleeping(small))
    ends(small)
    thread.join(60)
    if ends is shut_down:
        small.start()

    (error,) = errors
    assert isinstance(error, DatabaseUnavailable) and error.__cause__
    assert causes.sqlstate(error.__cause__) is None and error.cause.value == cause_of("")
    wait_for("a session", lambda: answers(connect))
    connect.close()


def answers(connect: PersistentConnection) -> bool:
    try:
        with connect():
            return True
    except DatabaseUnavailable:
        return False


def test_a_server_that_shuts_down_takes_no_new_sessions(small: Small):
    assert small.pid
    with closing(psycopg2.connect(small.url)):
        os.kill(small.pid, signal.SIGTERM)  # it waits for its sessions, and accepts no others
        error = wait_for("the first refusal", lambda: refused(small.url))
    small.stop()
    small.start()

    assert state_of(error) == "57P03" and error.cause.value == cause_of("57P03")


def refused(url: str) -> DatabaseUnavailable | None:
    connect = PersistentConnection(url)
    try:
        with connect():
            return None
    except DatabaseUnavailable as error:
        return error
    finally:
        connect.close()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("ends", [shut_down, lose_a_process])
def test_the_writer_stores_every_event_over_it(small: Small, ends: Callable[[Small], None]):
    connection_pool.close(small.url)
    stream, ended = new_stream(small.url), threading.Event()

    def project(cur: object, events: object) -> tuple[()]:
        if not ended.is_set():
            cur.execute("SELECT pg_sleep(8)")  # type: ignore[attr-defined]
        return ()

    connect = PersistentConnection(small.url)
    writer = Writer(connect, project, lambda appended: None)
    for n in range(50):
        writer.put(line(stream, str(n)))
    wait_for("the writer to be in the middle", lambda: sleeping(small))
    ends(small)
    ended.set()
    wait_for("it to notice", lambda: writer.failures)
    if ends is shut_down:
        small.start()
    assert writer.close(60)
    connect.close()

    connection_pool.close(small.url)
    assert messages(small.url, stream) == [str(n) for n in range(50)]
    assert writer.refused == 0
