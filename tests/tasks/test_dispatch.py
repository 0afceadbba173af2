"""Hints to workers: none for unserved queues, few at a time, and no long waits for a broker that hangs."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg2.extensions import cursor as Cursor

from app.broker import BrokerDown
from app.projections import project
from app.stream.event import Event, json_prefix
from app.stream.transaction import Transaction
from app.tasks import dispatch, lifecycle
from app.tasks.dispatch import Dispatcher, Hint, started_steps
from app.tasks.projection import SOON_SECONDS
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks


class Broker:
    """Takes ``takes`` messages, then none; counts all calls."""

    def __init__(self, takes: int = 1_000_000) -> None:
        self.takes, self.asked = takes, 0
        self.sent: list[tuple[str, str]] = []

    def __call__(self, message_id: str, queue: str, body: tuple[str, int], countdown: float) -> None:
        self.asked += 1
        if self.asked > self.takes:
            raise BrokerDown("it hangs")
        self.sent.append((queue, body[0]))


def queue_of(job_type: str) -> str | None:
    return None if job_type == "outside" else "taskroom"


def test_no_message_goes_to_a_queue_that_no_celery_worker_serves(tasks: Tasks) -> None:
    broker = Broker()
    dispatcher = Dispatcher(broker, queue_of)
    outside, ours = tasks.create(job_type="outside"), tasks.create()

    assert dispatcher.dispatch(outside, 1, "outside") is False
    assert dispatcher.send_hint(outside, 2, "outside", 5.0)
    sent = dispatcher.resend(tasks.connect, everything=True)

    assert (sent, broker.sent) == (1, [("taskroom", ours)])
    assert set(tasks.dispatches()) == {outside, ours}, "a task without a message can be claimed too"


def test_a_broker_that_hangs_is_waited_for_once_for_all_hints() -> None:
    broker = Broker(takes=2)

    took = Dispatcher(broker, queue_of).send_hints([Hint(f"task {n}", 1, "echo") for n in range(100)])

    assert not took
    assert (broker.asked, len(broker.sent)) == (3, 2)


def test_so_many_are_sent_again_at_a_time_and_the_oldest_first(tasks: Tasks) -> None:
    broker = Broker()
    dispatcher = Dispatcher(broker, queue_of)
    waiting = [tasks.create() for _ in range(7)]

    assert dispatcher.resend(tasks.connect, everything=True, most=3) == 3
    assert [task_id for _, task_id in broker.sent] == waiting[:3]
    assert dispatcher.resend(tasks.connect, everything=False, most=3) == 3
    assert dispatcher.resend(tasks.connect, everything=False, most=3) == 1

    assert sorted(task_id for _, task_id in broker.sent) == sorted(waiting)


def test_hints_that_the_broker_did_not_take_are_due_at_the_next_round(tasks: Tasks) -> None:
    waiting = [tasks.create() for _ in range(5)]

    sent = Dispatcher(Broker(takes=2), queue_of).resend(tasks.connect, everything=True)

    ((due, tried),) = sql(
        tasks.database,
        """SELECT count(*) FILTER (WHERE next_send_at <= now()), count(*) FILTER (WHERE send_count > 0)
           FROM dispatches""",
    )
    assert (sent, due, tried) == (2, 3, 2)
    again = Broker()
    assert Dispatcher(again, queue_of).resend(tasks.connect, everything=False) == 3
    assert {task_id for _, task_id in again.sent} < set(waiting)


def test_a_full_queue_is_sent_nothing_and_what_waits_is_due_when_it_has_room(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "MAX_QUEUED", 5)
    broker, lengths = Broker(), {"taskroom": 5, "quick": 4}
    dispatcher = Dispatcher(broker, {"emit_load": "taskroom", "echo": "quick"}.get, lengths.__getitem__)
    waiting = [tasks.create() for _ in range(3)]
    quick = [tasks.create(job_type="echo") for _ in range(2)]

    assert dispatcher.dispatch(waiting[0], 1, "emit_load") is False
    assert dispatcher.resend(tasks.connect, everything=True) == 1
    assert broker.sent == [("quick", quick[0])], "a full queue does not stop another one"

    lengths["taskroom"] = 3
    assert dispatcher.resend(tasks.connect, everything=False) == 3
    assert broker.sent[1:] == [("taskroom", waiting[0]), ("taskroom", waiting[1]), ("quick", quick[1])]


def test_what_waits_for_workers_that_are_gone_adds_no_more_messages_than_a_queue_holds(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "MAX_QUEUED", 5)
    broker = Broker()
    dispatcher = Dispatcher(broker, queue_of, lambda queue: len(broker.sent))
    for _ in range(8):
        tasks.create()

    for _ in range(10):  # as after ten minutes each
        sql(tasks.database, "UPDATE dispatches SET next_send_at = now()")
        dispatcher.resend(tasks.connect, everything=False)

    assert len(broker.sent) == 5


def test_a_retry_that_is_far_away_is_sent_when_it_is_due_and_not_before(tasks: Tasks) -> None:
    broker = Broker()
    dispatcher = Dispatcher(broker, queue_of)
    near, far = tasks.started(), tasks.started()
    tasks.end(near, "RETRY", retry_in=SOON_SECONDS)
    tasks.end(far, "RETRY", retry_in=SOON_SECONDS + 1)

    assert dispatcher.dispatch(near, 2, "emit_load", SOON_SECONDS)
    assert not dispatcher.dispatch(far, 2, "emit_load", SOON_SECONDS + 1)
    assert (dispatcher.resend(tasks.connect, everything=True), broker.sent) == (0, [("taskroom", near)])

    sql(
        tasks.database,
        "UPDATE dispatches SET (due_at, next_send_at) = (due_at - make_interval(secs => %s), "
        "next_send_at - make_interval(secs => %s))",
        *[SOON_SECONDS + 1] * 2,
    )
    assert dispatcher.resend(tasks.connect, everything=False) == 1, "the other has a message already"
    assert broker.sent[1:] == [("taskroom", far)]


def test_an_event_of_a_user_is_no_step_whatever_its_type() -> None:
    status = json_prefix("user:u") + '1,"status":"PENDING"}'

    assert list(started_steps([Event("user:u", 1, "task_status", status)])) == []


class Noting(Cursor):
    """Records the statements."""

    statements: list[str]

    def execute(self, query: Any, values: Any = None) -> None:
        self.statements.append(str(query))
        super().execute(query, values)


def test_a_claim_by_an_outdated_message_reads_nothing_of_the_task(tasks: Tasks) -> None:
    task_id = tasks.started()

    with tasks.connect() as connection, connection.cursor(cursor_factory=Noting) as cur:
        cur.statements = []
        assert lifecycle.claim(Transaction(cur, project), task_id, 1, "other@host") is None

    assert len(cur.statements) == 2, "one for the lock, one for the queue"
    assert not any("FROM tasks" in statement or "phases" in statement for statement in cur.statements)
