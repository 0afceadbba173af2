"""Leases are counted in rounds: neither a time without Postgres nor a clock that is set loses a healthy task."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.projections import project
from app.stream.store import Appended, DatabaseUnavailable
from app.stream.transaction import Transactions
from app.tasks import lease_reaper
from app.tasks.dispatch import Dispatcher
from app.tasks.lease_reaper import LeaseReaper
from tests.stream.helpers import sql
from tests.support.clock import Clock
from tests.support.connections import connection_pool
from tests.support.line import TcpProxy
from tests.support.system import wait_for
from tests.tasks.helpers import Tasks

ROUND = 5.0
MISSED_LIMIT = 4  # at the fourth round that it missed a task is lost


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(lease_reaper, "time", clock)
    return clock


@pytest.fixture
def line(database: str) -> Iterator[TcpProxy]:
    line = TcpProxy(database)
    yield line
    line.close()


class Web:
    """A web process's rounds, through a line that can be cut; ``turn`` is five seconds of its life."""

    def __init__(self, line: TcpProxy, clock: Clock) -> None:
        self.published: list[Appended] = []
        self.clock = clock
        self.rounds = LeaseReaper(
            line.url,
            Dispatcher(lambda *_: None, lambda job_type: "queue"),
            lambda connect, committed: Transactions(connect, project, self.published.append, committed),
            lambda: "one",
            lambda job_type, retry_count: False,
            ROUND,
        )

    def turn(self) -> bool:
        """False when there was no round."""
        self.clock.now += ROUND
        try:
            self.rounds.round()
        except DatabaseUnavailable:
            return False
        return True


@pytest.fixture
def web(database: str, line: TcpProxy, clock: Clock) -> Iterator[Web]:
    web = Web(line, clock)
    yield web
    web.rounds._connect.close()


def renew(tasks: Tasks, task_id: str) -> None:
    sql(tasks.database, "UPDATE leases SET missed = 0 WHERE task_id = %s", task_id)


@pytest.mark.parametrize("missed", range(MISSED_LIMIT))
def test_a_minute_without_postgres_loses_no_task(tasks: Tasks, web: Web, line: TcpProxy, missed: int):
    task_id = tasks.started()
    for _ in range(1 + missed):
        assert web.turn()
    assert tasks.leases() == {task_id: (1, missed)}

    line.cut()
    assert not any(web.turn() for _ in range(12))
    # Until Postgres has noticed the cut, the lost session leads.
    locks = "SELECT FROM pg_locks JOIN pg_database ON database = pg_database.oid"
    locks += " WHERE datname = current_database() AND locktype = 'advisory'"
    wait_for("the end of the session that led", lambda: sql(tasks.database, locks) == [])
    line.mend()

    assert web.turn()
    assert tasks.leases() == {task_id: (1, 0)}, "nobody could renew: all begin anew"
    for _ in range(MISSED_LIMIT - 1):  # the worker, too, is back within this time
        assert web.turn()
    renew(tasks, task_id)
    assert web.turn()
    assert tasks.state(task_id)["task"]["status"] == "STARTED" and web.published == []


@pytest.mark.parametrize("step", ["1 day", "-1 day"])
def test_postgres_clock_may_be_set_without_losing_a_task_or_keeping_a_lost_one(
    tasks: Tasks, web: Web, step: str
):
    # In front of pg_catalog's own on the path of every new session, these are what now() and the like mean.
    ((name,),) = sql(tasks.database, "SELECT current_database()")
    sql(tasks.database, "CREATE SCHEMA stepped")
    for function in ("now", "clock_timestamp", "transaction_timestamp", "statement_timestamp"):
        sql(
            tasks.database,
            f"""CREATE FUNCTION stepped.{function}() RETURNS timestamptz LANGUAGE sql
                AS $$ SELECT pg_catalog.{function}() + interval '{step}' $$""",
        )
    healthy, dead = tasks.started(), tasks.started()
    assert web.turn() and web.turn()

    sql(tasks.database, f"ALTER DATABASE {name} SET search_path = stepped, pg_catalog, public")
    web.rounds._connect.close()  # the next round's session has the new clock
    connection_pool.close(tasks.database)  # so have the test's own
    web.rounds._last_round = web.clock.now
    assert sql(tasks.database, "SELECT now() <> pg_catalog.now()") == [(True,)]
    for _ in range(MISSED_LIMIT - 1):
        renew(tasks, healthy)
        assert web.turn()

    assert tasks.state(healthy)["task"]["status"] == "STARTED"
    assert tasks.state(dead)["task"]["error"]["type"] == "WorkerLost"


def test_the_process_clock_may_be_set_for_only_the_monotonic_one_is_read(
    tasks: Tasks, web: Web, monkeypatch: pytest.MonkeyPatch
):
    """``Clock`` has no ``time``: a round that asked for it would fail."""
    task_id = tasks.started()
    real = time.time
    for hours in (24, -24, 1000):
        monkeypatch.setattr(time, "time", lambda hours=hours: real() + hours * 3600)
        renew(tasks, task_id)
        assert web.turn()

    assert tasks.leases()[task_id][1] <= 1 and web.published == []
