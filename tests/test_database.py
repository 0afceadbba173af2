"""The pool over a real Postgres: what it lends, and which errors mean that Postgres is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import psycopg2
import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from app.db import pool as databases
from app.db.breaker import CLOSED, HALF_OPEN, OPEN, Breaker
from app.db.pool import engine_options, pooled, writing
from app.errors import NotFound
from app.errors.causes import Cause
from app.stream.store import Connect, DatabaseUnavailable
from tests.stream.helpers import sql
from tests.support.line import TcpProxy


class Web:
    """A web process's connections: ``connect`` for transactions, ``read`` for single statements."""

    def __init__(self, database: str, **options: object) -> None:
        url = database.replace("postgresql://", "postgresql+psycopg2://", 1)
        self.engine: Engine = create_engine(url, **(engine_options(2) | options))
        self.breaker = Breaker("Postgres", 0.0)
        self.connect: Connect = pooled(self.engine, self.breaker)
        self.read: Connect = pooled(self.engine, self.breaker, autocommit=True)

    def run(self, statement: str, connect: Connect | None = None) -> None:
        with (connect or self.read)() as connection, connection.cursor() as cur:
            cur.execute(statement)

    def backend(self) -> int:
        with self.read() as connection:
            return connection.info.backend_pid


@pytest.fixture
def line(database: str) -> Iterator[TcpProxy]:
    line = TcpProxy(database)
    yield line
    line.close()


@pytest.fixture
def web(line: TcpProxy) -> Iterator[Web]:
    web = Web(line.url)
    yield web
    web.engine.dispose()


def test_a_block_is_one_transaction_and_an_error_undoes_it(web: Web, database: str):
    web.run("CREATE TABLE kept (n int)", web.connect)
    with web.connect() as connection, connection.cursor() as cur:
        cur.execute("INSERT INTO kept VALUES (1)")
    with pytest.raises(NotFound), web.connect() as connection, connection.cursor() as cur:
        cur.execute("INSERT INTO kept VALUES (2)")
        raise NotFound("as asked")

    assert sql(database, "SELECT n FROM kept") == [(1,)] and web.breaker.openings == 0


@pytest.mark.parametrize(
    ("statement", "away"),
    [
        ("SELECT 1 / 0", False),
        ("SELECT nonsense", False),
        ("SET statement_timeout = 1; SELECT pg_sleep(5)", True),  # "away" for this caller, who may try again
    ],
)
@pytest.mark.parametrize("autocommit", [True, False])
def test_a_statements_own_error_is_no_outage(web: Web, statement: str, away: bool, autocommit: bool):
    connect = web.read if autocommit else web.connect

    with pytest.raises(DatabaseUnavailable if away else psycopg2.Error):
        web.run(statement, connect)

    assert (web.breaker.state, web.breaker.openings) == (CLOSED, 0)
    web.run("SELECT 1", connect)


def test_a_connection_that_the_server_ended_is_an_outage_until_the_next_answers(web: Web, database: str):
    backends = []
    with ExitStack() as both:
        for _ in range(2):
            backends.append(both.enter_context(web.read()).info.backend_pid)
    for backend in backends:
        sql(database, "SELECT pg_terminate_backend(%s, 60000)", backend)

    with pytest.raises(DatabaseUnavailable):
        web.run("SELECT 1")
    assert web.breaker.openings == 1
    web.run("SELECT 1")

    assert web.backend() not in backends, "the other ended with it, and nobody had to find out"
    assert (web.breaker.state, web.breaker.openings) == (CLOSED, 1)


@pytest.mark.parametrize("connected", [True, False])
def test_a_network_that_is_cut_is_an_outage_and_then_nobody_waits(web: Web, line: TcpProxy, connected: bool):
    if connected:
        web.run("SELECT 1")
    web.breaker._seconds = 3600.0
    line.cut()

    with pytest.raises(DatabaseUnavailable):
        web.run("SELECT 1")
    assert web.breaker.state == OPEN
    with pytest.raises(DatabaseUnavailable, match="Postgres is unavailable"):
        web.run("SELECT 1", web.connect)

    line.mend()
    web.breaker._open_until = 0.0
    web.run("SELECT 1")
    assert web.breaker.state == CLOSED


def test_a_pool_without_a_free_connection_is_busy_and_no_outage(database: str):
    """Also when nobody is answered meanwhile: whether Postgres is away shows at those who have the connections."""
    web = Web(database, pool_timeout=0.05)
    with web.read(), web.read():
        for connect in (web.read, web.connect):
            with pytest.raises(DatabaseUnavailable, match="no connection became free in 2 s") as raised:
                web.run("SELECT 1", connect)
            assert raised.value.cause is Cause.BUSY

        assert (web.breaker.state, web.breaker.openings) == (CLOSED, 0)
    web.engine.dispose()


def test_who_tests_for_all_and_gets_no_connection_leaves_it_to_the_next(database: str):
    web = Web(database, pool_timeout=0.05)
    with web.read(), web.read():
        web.breaker.failed(web.breaker.enter(), "no answer in 5 s")
        with pytest.raises(DatabaseUnavailable, match="no connection became free"):
            web.run("SELECT 1")

        assert web.breaker.state == HALF_OPEN, "it is neither back nor away"
        assert web.breaker.enter().tests
    web.engine.dispose()


def test_whoever_is_ended_in_the_middle_takes_the_connection_along(web: Web):
    class Ended(BaseException):
        """As eventlet ends a greenlet."""

    before = web.backend()
    with pytest.raises(Ended), web.read():
        raise Ended

    assert web.backend() != before and web.breaker.openings == 0
    assert web.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_the_server_gives_up_on_a_statement_before_we_give_up_on_the_server(web: Web):
    with web.read() as connection, connection.cursor() as cur:
        cur.execute("SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'")
        ((milliseconds,),) = cur.fetchall()

    assert milliseconds / 1000 < databases.ANSWER_SECONDS


class Moved:
    """Writes and reads by the pool, of a database that is made read only."""

    def __init__(self, database: str) -> None:
        self.database, self.web = database, Web(database)
        self.gate = Breaker("Postgres", 3600.0, cause=Cause.READ_ONLY)
        self.connect = writing(self.web.connect, self.gate, self.web.engine.dispose)
        self.web.run("CREATE TABLE kept (n int)")

    def set(self, read_only: str) -> None:
        with closing(
            psycopg2.connect(self.database, options="-c default_transaction_read_only=off")
        ) as connection:
            connection.autocommit = True
            name = connection.info.dbname
            connection.cursor().execute(
                f"ALTER DATABASE {name} SET default_transaction_read_only = {read_only}"
            )
        self.web.engine.dispose()

    def write(self) -> None:
        self.web.run("INSERT INTO kept VALUES (1)", self.connect)


@pytest.fixture
def moved(database: str) -> Iterator[Moved]:
    moved = Moved(database)
    yield moved
    moved.web.engine.dispose()


def test_while_it_is_read_only_who_writes_is_refused_at_once_and_who_reads_is_not(moved: Moved):
    moved.set("on")

    with pytest.raises(DatabaseUnavailable, match="read-only transaction"):
        moved.write()
    with pytest.raises(DatabaseUnavailable, match="Postgres is read-only") as refused:
        moved.write()

    assert refused.value.cause is Cause.READ_ONLY and moved.gate.refused == 1
    moved.web.run("SELECT 1")
    assert (moved.web.breaker.state, moved.web.breaker.openings) == (CLOSED, 0)


def test_who_only_reads_does_not_find_out_that_writes_are_taken_again(moved: Moved):
    moved.set("on")
    with pytest.raises(DatabaseUnavailable):
        moved.write()
    moved.gate._open_until = 0.0

    with pytest.raises(DatabaseUnavailable, match="read-only"):
        moved.web.run("SELECT 1", moved.connect)
    assert moved.gate.state == OPEN

    moved.gate._open_until = 0.0
    moved.set("off")
    moved.web.run("SELECT 1", moved.connect)
    assert moved.gate.state == CLOSED
    moved.write()


def test_connections_to_the_server_that_takes_no_writes_are_given_up(moved: Moved):
    with ExitStack() as both:
        before = {both.enter_context(moved.web.read()).info.backend_pid for _ in range(2)}

    with pytest.raises(DatabaseUnavailable), moved.connect() as connection, connection.cursor() as cur:
        cur.execute("SET TRANSACTION READ ONLY; INSERT INTO kept VALUES (1)")

    with ExitStack() as both:
        after = {both.enter_context(moved.web.read()).info.backend_pid for _ in range(2)}
    assert not before & after
