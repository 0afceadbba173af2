"""LeaseReaper: leases are counted by one process, and what waits is sent again. Against a real Postgres."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.broker import BrokerDown
from app.projections import project
from app.stream.event import task_stream
from app.stream.store import Appended
from app.stream.transaction import Transactions
from app.tasks import lease_reaper
from app.tasks.dispatch import Dispatcher
from app.tasks.lease_reaper import LeaseReaper
from tests.stream.helpers import sql
from tests.support.clock import Clock
from tests.support.system import wait_for
from tests.tasks.helpers import Tasks

MISSED_LIMIT = 4  # at the fourth round that it missed a task is lost


class Web:
    """A web process's rounds, turned by hand, and what it sent and published."""

    def __init__(self, database: str) -> None:
        self.sent: list[tuple[str, str, tuple[str, int]]] = []
        self.published: list[Appended] = []
        self.run_id, self.redis_is_away = "one", False
        self.takes = 1_000_000  # so many messages the broker takes
        self.may_retry = False
        self.rounds = LeaseReaper(
            database,
            Dispatcher(self._send, lambda job_type: f"queue of {job_type}"),
            lambda connect, committed: Transactions(connect, project, self.published.append, committed),
            self._run_id,
            lambda job_type, retry_count: self.may_retry,
            seconds=60,  # no pause is noticed, however slow the machine is
        )

    def _run_id(self) -> str:
        if self.redis_is_away:
            raise BrokerDown("as asked")
        return self.run_id

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.rounds.round()

    def sent_tasks(self) -> list[str]:
        return [task_id for _, _, (task_id, _) in self.sent]

    def _send(self, message_id: str, queue: str, body: tuple[str, int], countdown: float) -> None:
        if not self.takes:
            raise BrokerDown("as asked")
        self.takes -= 1
        self.sent.append((message_id, queue, body))


@pytest.fixture
def web(database: str) -> Iterator[Web]:
    web = Web(database)
    yield web
    web.rounds._connect.close()


@pytest.fixture
def second(database: str) -> Iterator[Web]:
    second = Web(database)
    yield second
    second.rounds._connect.close()


def overdue(tasks: Tasks, task_id: str) -> None:
    sql(
        tasks.database,
        "UPDATE dispatches SET next_send_at = now() - interval '1 s' WHERE task_id = %s",
        task_id,
    )


def leaders(tasks: Tasks) -> int:
    """How many hold the advisory lock; the server frees it a moment after its session is closed."""
    count: int = sql(
        tasks.database,
        """SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
           WHERE locktype = 'advisory' AND granted AND datname = current_database()""",
    )[0][0]
    return count


def test_the_first_round_begins_anew_and_the_next_ones_count(tasks: Tasks, web: Web):
    task_id = tasks.started()
    sql(tasks.database, "UPDATE leases SET missed = 3")

    web.turn()
    assert tasks.leases() == {task_id: (1, 0)}

    web.turn(2)
    assert tasks.leases() == {task_id: (1, 2)}


def test_a_lease_that_is_renewed_is_never_lost(tasks: Tasks, web: Web):
    task_id = tasks.started()

    for _ in range(3):
        web.turn(MISSED_LIMIT - 1)
        sql(tasks.database, "UPDATE leases SET missed = 0 WHERE task_id = %s", task_id)
    assert tasks.state(task_id)["task"]["status"] == "STARTED"


@pytest.mark.parametrize(("may_retry", "status"), [(False, "FAILURE"), (True, "RETRY")])
def test_a_lease_missed_four_times_ends_the_attempt(tasks: Tasks, web: Web, may_retry: bool, status: str):
    task_id, web.may_retry = tasks.started(), may_retry

    web.turn(MISSED_LIMIT)
    assert tasks.state(task_id)["task"]["status"] == "STARTED" and web.published == []
    web.turn()

    task = tasks.state(task_id)["task"]
    assert (task["status"], task["error"]["type"]) == (status, "WorkerLost") and tasks.leases() == {}
    assert web.published[0].events[0].stream == task_stream(task_id)
    again = [(f"{task_id}.2", "queue of emit_load", (task_id, 2))] if may_retry else []
    assert web.sent == again, "what is to run again is sent at once"
    web.turn(5)
    assert len(web.published) == 1


def test_an_attempt_that_ended_between_counting_and_losing_stays_as_it_is(tasks: Tasks, web: Web):
    task_id = tasks.started()
    web.rounds._may_retry = lambda job_type, retry_count: bool(tasks.end(task_id).refused)

    web.turn(MISSED_LIMIT + 1)

    assert tasks.statuses(task_id) == ["PENDING", "STARTED", "SUCCESS"]


def test_after_a_pause_all_leases_begin_anew(tasks: Tasks, web: Web):
    task_id = tasks.started()
    web.turn(MISSED_LIMIT)
    assert tasks.leases() == {task_id: (1, 3)}
    assert web.rounds._last_round
    web.rounds._last_round -= 121  # two rounds are 120 s here

    web.turn()

    assert tasks.leases() == {task_id: (1, 0)}


def test_only_one_process_counts_and_another_takes_over(tasks: Tasks, web: Web, second: Web):
    task_id = tasks.started()

    for _ in range(3):
        web.turn()
        second.turn()
    assert tasks.leases() == {task_id: (1, 2)} and second.sent == []

    web.rounds._connect.close()
    wait_for("the lock to be free", lambda: leaders(tasks) == 0)
    second.turn()
    assert tasks.leases() == {task_id: (1, 0)}
    second.turn()
    web.turn()
    assert tasks.leases() == {task_id: (1, 1)}


def test_a_new_leader_knows_what_the_broker_was_told(tasks: Tasks, web: Web, second: Web):
    waiting = [tasks.create() for _ in range(3)]
    web.turn()
    assert sorted(web.sent_tasks()) == sorted(waiting)
    web.rounds._connect.close()
    wait_for("the lock to be free", lambda: leaders(tasks) == 0)

    second.turn(2)

    assert second.rounds.leads and second.sent == []
    second.run_id = "two"
    second.turn()
    assert sorted(second.sent_tasks()) == sorted(waiting), "and of another broker that it knows nothing"


def test_a_long_round_is_no_pause(tasks: Tasks, web: Web, monkeypatch: pytest.MonkeyPatch):
    task_id = tasks.started()
    clock = Clock()
    monkeypatch.setattr(lease_reaper, "time", clock)
    web.turn()
    web.rounds._dispatcher.resend = lambda *_, **__: setattr(clock, "now", clock.now + 600)  # type: ignore[method-assign,assignment]

    web.turn(3)

    assert tasks.leases() == {task_id: (1, 3)}


def test_so_many_lost_tasks_are_ended_in_one_round_and_the_others_in_the_next(
    tasks: Tasks, web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lease_reaper, "LOST_MOST", 2)
    running = [tasks.started() for _ in range(5)]
    web.turn(MISSED_LIMIT)

    left = []
    for _ in range(3):
        web.turn()
        left.append(len(tasks.leases()))

    assert left == [3, 1, 0]
    assert {tasks.state(task_id)["task"]["error"]["type"] for task_id in running} == {"WorkerLost"}


def test_a_broker_that_hangs_is_waited_for_once_a_round(tasks: Tasks, web: Web):
    web.may_retry = True
    for _ in range(5):
        tasks.started()
    web.turn(MISSED_LIMIT)
    asked = []
    web.rounds._dispatcher._send = lambda *message: asked.append(message) or web._send(*message)  # type: ignore[func-returns-value]
    web.takes = 0

    web.turn()

    assert tasks.leases() == {} and len(asked) == 1


def test_leading_again_and_again_takes_the_lock_once(tasks: Tasks, web: Web):
    web.turn(5)

    assert leaders(tasks) == 1


def test_a_task_that_cannot_be_ended_keeps_no_other_from_its_end(tasks: Tasks, web: Web):
    first, second = sorted([tasks.started(), tasks.started()])
    jobs = sql(
        tasks.database, "UPDATE tasks SET job_type = 'unknown' WHERE id = %s RETURNING job_type", first
    )
    broken = list(jobs[0])

    def may_retry(job_type: str, retry_count: int) -> bool:
        if job_type in broken:
            raise LookupError(job_type)
        return False

    web.rounds._may_retry = may_retry
    web.turn(MISSED_LIMIT + 1)
    assert [tasks.state(task)["task"]["status"] for task in (first, second)] == ["STARTED", "FAILURE"]

    broken.clear()
    web.turn()
    assert tasks.state(first)["task"]["error"]["type"] == "WorkerLost"
