"""Paused queues and drained workers: nothing more is claimed, and what waits keeps its place."""

from __future__ import annotations

from uuid import uuid5

import pytest

from app.tasks import holds, lifecycle
from app.tasks.cleanup import delete_expired
from app.tasks.dispatch import Dispatcher
from app.tasks.fair_claims import send_held
from app.tasks.holds import Kind, keep_drained, release_queue, release_worker
from app.tasks.losses import OWN_WORKERS
from app.tasks.slots import Cap
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks
from tests.tasks.test_dispatch import Broker, queue_of
from tests.tasks.test_fair_claims import WORKER, fair_claim, message, waiting, worker

TYPES = ["emit_load", "artifact"]


def hold(tasks: Tasks, kind: Kind, name: str, by: str = "ann@example.org") -> bool:
    """Returns whether the hold is new."""
    with tasks.connect() as conn, conn.cursor() as cur:
        return holds.hold(cur, kind, name, tasks.user_id, by)[1]


def resume(tasks: Tasks) -> list[str]:
    """Lets the queue go on; returns the tasks of the hints."""
    with tasks.transaction() as tx:
        assert release_queue(tx, "taskroom", TYPES)
    return [hint.task_id for hint in tx.hints]


def due_now(tasks: Tasks) -> set[str]:
    """Returns the tasks whose hints the next round sends again."""
    rows = sql(tasks.database, "SELECT task_id::text FROM dispatches WHERE next_send_at <= now()")
    return {task_id for (task_id,) in rows}


def test_from_a_paused_queue_nothing_is_claimed_and_then_all_in_order(tasks: Tasks) -> None:
    waits = waiting(tasks, tasks.user_id, 3)
    hold(tasks, "queue", "taskroom")
    later = waiting(tasks, tasks.user_id, 1)

    paused = [message(tasks, task_id) for task_id in waits + later]
    hinted = resume(tasks)

    assert paused == [None] * 4
    assert set(hinted) == set(waits + later)
    assert [message(tasks, task_id) for task_id in hinted] == waits + later


def test_a_message_of_a_type_that_the_worker_lacks_claims_nothing_either(tasks: Tasks) -> None:
    other = tasks.create(job_type="another")
    hold(tasks, "queue", "taskroom")

    assert message(tasks, other) is None
    resume(tasks)
    assert message(tasks, other) == other


def test_the_pause_of_another_queue_changes_nothing(tasks: Tasks) -> None:
    (task_id,) = waiting(tasks, tasks.user_id, 1)
    hold(tasks, "queue", "quick")

    assert message(tasks, task_id) == task_id


def test_a_drained_worker_claims_nothing_and_another_one_is_told_soon(tasks: Tasks) -> None:
    first, second = waiting(tasks, tasks.user_id, 2)
    hold(tasks, "worker", WORKER)

    assert message(tasks, second) is None
    assert due_now(tasks) == {second}
    claimed = fair_claim(first, name="celery@there").claim_fairest(tasks.transaction)
    assert claimed is not None and claimed.task_id == first
    with tasks.connect() as conn, conn.cursor() as cur:
        assert keep_drained(cur, WORKER)
        assert release_worker(cur, WORKER) and not release_worker(cur, WORKER)
        assert not keep_drained(cur, WORKER)
    assert message(tasks, second) == second


def test_a_drained_worker_has_no_slots(tasks: Tasks) -> None:
    worker(tasks, slots=2, spare=1)
    worker(tasks, slots=4, spare=1, name="celery@there")
    hold(tasks, "worker", "celery@there")
    waits = waiting(tasks, tasks.user_id, 3)

    assert [message(tasks, task_id) for task_id in waits] == [waits[0], None, None]


def test_rounds_send_no_hints_to_a_paused_queue(tasks: Tasks) -> None:
    waits = waiting(tasks, tasks.user_id, 2)
    worker(tasks, slots=8, spare=0)
    sql(tasks.database, "UPDATE dispatches SET next_send_at = now()")
    sql(tasks.database, "INSERT INTO turns (user_id, held) VALUES (%s, true)", tasks.user_id)
    hold(tasks, "queue", "taskroom")
    broker = Broker()
    dispatcher = Dispatcher(broker, queue_of)

    sent = dispatcher.resend(tasks.connect, everything=True)
    sent += send_held(tasks.connect, dispatcher, Cap(), queue_of)

    assert (sent, broker.sent) == (0, [])
    assert due_now(tasks) == set(waits), "the round after the pause sends them"


def test_when_a_queue_goes_on_the_hints_of_what_waits_are_due_at_once(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "HINTS", 2)
    waits = waiting(tasks, tasks.user_id, 4)
    later = tasks.create(job_type="outside")  # of another queue
    hold(tasks, "queue", "taskroom")
    assert due_now(tasks) == set()

    hinted = resume(tasks)

    assert len(hinted) == 2 and set(hinted) < set(waits)
    assert due_now(tasks) == set(waits) and later not in due_now(tasks)


def test_the_first_hold_stays_as_it_is(tasks: Tasks) -> None:
    assert hold(tasks, "queue", "taskroom")
    assert not hold(tasks, "queue", "taskroom", by="bob@example.org")

    with tasks.connect() as conn, conn.cursor() as cur:
        found = holds.holds_of(cur, "queue", ["taskroom", "quick"])
    assert found.keys() == {"taskroom"} and found["taskroom"].by == "ann@example.org"


def test_only_the_hold_of_a_worker_that_does_not_come_back_is_forgotten(tasks: Tasks) -> None:
    hold(tasks, "queue", "taskroom")
    hold(tasks, "worker", "celery@here")
    hold(tasks, "worker", "celery@there")
    sql(tasks.database, "UPDATE holds SET seen_at = now() - interval '8 days' WHERE name <> 'celery@here'")

    delete_expired(tasks.connect)

    assert set(sql(tasks.database, "SELECT name FROM holds")) == {("taskroom",), ("celery@here",)}


@pytest.mark.parametrize("retry", [True, False])
def test_a_lost_attempt_is_kept_by_its_worker(tasks: Tasks, retry: bool) -> None:
    task_id = tasks.create()
    with tasks.transaction() as tx:
        assert lifecycle.claim(tx, task_id, 1, f"{WORKER}/7")

    tasks.expire_lease(task_id, retry=retry)

    (row,) = sql(tasks.database, "SELECT task_id::text, attempt, worker_id::text FROM lost_attempts")
    assert row == (task_id, 1, str(uuid5(OWN_WORKERS, WORKER)))


def test_a_cancelled_attempt_and_one_that_was_claimed_over_rest_are_lost_with_no_worker(tasks: Tasks) -> None:
    cancelled, outside = tasks.create(), tasks.create()
    for task_id in (cancelled, outside):
        with tasks.transaction() as tx:
            assert lifecycle.claim(tx, task_id, 1, f"{WORKER}/7")
    tasks.cancel(cancelled)
    sql(tasks.database, "UPDATE leases SET holder = 'w' WHERE task_id = %s", outside)

    for task_id in (cancelled, outside):
        tasks.expire_lease(task_id)

    assert sql(tasks.database, "SELECT count(*) FROM lost_attempts") == [(0,)]
