"""Rounds: leases are counted by one process, and what waits is sent again. Against a real Postgres."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.stream.event import task_stream
from app.stream.store import Appended
from app.tasks import dispatch
from app.tasks.dispatch import BrokerDown, Dispatcher
from app.tasks.rounds import Rounds
from tests.stream.helpers import sql
from tests.support.system import wait_for
from tests.tasks.helpers import Tasks

MISSED_LIMIT = 4  # at the fourth round that it missed a task is lost


class Web:
    """A web process's rounds, turned by hand, and what it sent and published."""

    def __init__(self, database: str) -> None:
        self.sent: list[tuple[str, str, tuple[str, int]]] = []
        self.published: list[Appended] = []
        self.run_id: str | None = "one"
        self.takes = 1_000_000  # so many messages the broker takes
        self.may_retry = False
        self.rounds = Rounds(
            database,
            Dispatcher(self._send, lambda job_type: f"queue of {job_type}"),
            self.published.append,
            lambda: self.run_id,
            lambda job_type, retry_count: self.may_retry,
            seconds=60,  # no pause is noticed, however slow the machine is
        )

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


def test_leading_again_and_again_takes_the_lock_once(tasks: Tasks, web: Web):
    web.turn(5)

    assert leaders(tasks) == 1


def test_what_nobody_claims_is_sent_again_with_back_off_under_its_number(tasks: Tasks, web: Web):
    task_id = tasks.create(job_type="artifact")
    web.turn()
    web.sent.clear()

    for sends in range(2, 9):
        web.turn()
        assert web.sent == []
        overdue(tasks, task_id)
        web.turn()
        assert web.sent == [(f"{task_id}.1", "queue of artifact", (task_id, 1))]
        web.sent.clear()
        ((wait,),) = sql(
            tasks.database, "SELECT extract(epoch FROM next_send_at - now())::float FROM dispatches"
        )
        expected = min(30 * 2**sends, dispatch.RESEND_LIMIT_SECONDS)
        assert expected / 2 < wait <= expected, "and not the wait before"
        assert tasks.dispatches() == {task_id: (1, sends)}

    assert tasks.claim(task_id, 1)
    overdue(tasks, task_id)
    web.turn()
    assert web.sent == []


def test_a_redis_that_lost_its_data_gets_everything_that_is_due(
    tasks: Tasks, web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dispatch, "RESEND_BATCH", 3)
    waiting = [tasks.create() for _ in range(7)]
    tasks.started()
    later = tasks.started()
    tasks.end(later, "RETRY", retry_in=600)
    web.turn()
    web.sent.clear()
    web.turn()
    assert web.sent == []

    web.run_id = "two"
    web.turn()

    assert sorted(web.sent_tasks()) == sorted(waiting)
    assert {number for _, _, (_, number) in web.sent} == {1}
    web.turn()
    assert len(web.sent) == 7


def test_an_overdue_retry_is_sent_under_its_new_number(tasks: Tasks, web: Web):
    task_id = tasks.started()
    web.turn()
    tasks.end(task_id, "RETRY", retry_in=0)
    overdue(tasks, task_id)

    web.turn()

    assert web.sent == [(f"{task_id}.2", "queue of emit_load", (task_id, 2))]


def test_while_redis_is_away_nothing_is_sent_and_then_everything(tasks: Tasks, web: Web):
    task_id = tasks.create()
    web.turn()
    web.sent.clear()
    web.run_id = None
    overdue(tasks, task_id)

    web.turn()
    assert web.sent == [] and tasks.dispatches() == {task_id: (1, 1)}
    web.run_id = "two"
    web.turn()

    assert web.sent_tasks() == [task_id]


def test_a_broker_that_goes_away_in_the_middle_loses_nothing(
    tasks: Tasks, web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dispatch, "RESEND_BATCH", 3)
    waiting = [tasks.create() for _ in range(7)]
    web.takes = 4

    web.turn()
    assert len(web.sent) == 4
    web.takes, web.run_id = 1_000_000, "two"
    web.turn()

    assert sorted(web.sent_tasks()[4:]) == sorted(waiting)


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
