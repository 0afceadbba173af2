"""Parents that are cancelled with their steps, and steps that end at once."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial

import pytest

from app.errors import Conflict
from app.stream.event import task_stream
from app.stream.store import Appended
from app.tasks import lifecycle
from app.tasks.approvals import ApprovalRequest, approval_wait
from tests.stream.helpers import in_threads
from tests.tasks.families import (
    BROKEN,
    consistent,
    delegate,
    delegated_parent,
    owner_events,
    run,
    status,
    step,
    steps,
)
from tests.tasks.helpers import Tasks

pytestmark = pytest.mark.slow


def test_a_cancelled_parent_cancels_its_steps_and_ends_with_the_last(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(), step(), step(), mode="parallel")
    running, waiting, done = steps(tasks, parent)
    run(tasks, done)
    assert tasks.claim(running)

    tasks.cancel(parent)
    tasks.cancel(parent)

    assert (status(tasks, waiting), status(tasks, parent)) == ("REVOKED", "STARTED")
    assert tasks.append([]) == Appended()
    tasks.end(running, "REVOKED", error=BROKEN)
    ended = tasks.state(parent)["task"]
    assert (ended["status"], ended["error"]["type"]) == ("REVOKED", "Cancelled")
    assert tasks.dispatches() == {} and tasks.leases() == {}
    assert consistent(tasks, parent, running, waiting, done)


def test_a_parent_whose_steps_all_wait_ends_with_its_cancel(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(approval={"title": "Go?"}), step(), mode="parallel")

    tasks.cancel(parent)

    assert {status(tasks, task_id) for task_id in (parent, *steps(tasks, parent))} == {"REVOKED"}


def test_a_cancelled_sequence_starts_nothing_more(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step(), step())
    (first,) = steps(tasks, parent)
    assert tasks.claim(first)
    tasks.cancel(parent)

    tasks.end(first)

    assert (status(tasks, parent), steps(tasks, parent)) == ("REVOKED", [first])


def test_a_cancel_just_before_the_steps_would_start_starts_none(tasks: Tasks) -> None:
    parent = tasks.create(job_type="orchestrate", params={"steps": [step()], "mode": "sequence"})
    assert tasks.claim(parent)
    tasks.cancel(parent)

    appended = delegate(tasks, parent)
    with tasks.transaction() as tx:
        lifecycle.end_if_cancelled(tx, parent)

    assert appended.cancel_requested == {task_stream(parent)}
    assert (status(tasks, parent), steps(tasks, parent)) == ("REVOKED", [])


def test_a_worker_that_dies_before_its_steps_started_is_lost_and_after_it_is_not(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step())
    again = tasks.create(job_type="orchestrate", params={"steps": [step()], "mode": "sequence"})
    assert tasks.claim(again)
    tasks.expire_lease(again, retry=True)
    assert tasks.claim(again, 2)

    stray = delegate(tasks, again)

    assert stray.refused == {task_stream(again)} and steps(tasks, again) == []
    assert tasks.leases().keys() == {again} and len(steps(tasks, parent)) == 1


def test_a_step_that_asked_after_its_parents_cancel_ends_with_the_next_cancel(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step())
    (only,) = steps(tasks, parent)
    assert tasks.claim(only)
    tasks.cancel(parent)
    tasks.append(approval_wait(task_stream(only), ApprovalRequest("send", "Send it"), 0, 1, []))

    tasks.cancel(parent)

    assert [status(tasks, task_id) for task_id in (parent, only)] == ["REVOKED", "REVOKED"]


def test_a_cancelled_step_that_asked_ends_with_its_lease_when_its_worker_dies(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step())
    (only,) = steps(tasks, parent)
    assert tasks.claim(only)
    tasks.cancel(parent)
    tasks.append(approval_wait(task_stream(only), ApprovalRequest("send", "Send it"), 0, 1, []))

    assert tasks.leases().keys() == {only}
    tasks.expire_lease(only)

    assert [status(tasks, task_id) for task_id in (parent, only)] == ["REVOKED", "REVOKED"]
    assert tasks.leases() == {}


def test_a_cancel_ends_a_step_that_waits_for_its_retry(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step())
    (only,) = steps(tasks, parent)
    assert tasks.claim(only)
    tasks.cancel(parent)
    tasks.end(only, "RETRY", error=BROKEN, retry_count=1, retry_in=3_600)

    with tasks.transaction() as tx:
        lifecycle.end_if_cancelled(tx, only)

    assert [status(tasks, task_id) for task_id in (parent, only)] == ["REVOKED", "REVOKED"]
    assert tasks.dispatches() == {}


def test_a_parent_that_waits_for_its_steps_cannot_be_lost(tasks: Tasks) -> None:
    parent = delegated_parent(tasks, step())

    assert tasks.expire_lease(parent, retry=True) == Appended()
    assert tasks.expire_lease(parent) == Appended()

    assert status(tasks, parent) == "STARTED"


@pytest.mark.parametrize(
    ("cancel", "on_failure", "ends"),
    [
        (False, "continue", {"SUCCESS"}),
        (True, "continue", {"SUCCESS", "REVOKED"}),
        (False, "stop", {"FAILURE"}),
    ],
)
def test_steps_that_end_at_once_end_their_parent_once(
    tasks: Tasks, cancel: bool, on_failure: str, ends: set[str]
) -> None:
    parent = delegated_parent(tasks, *[step(on_failure=on_failure) for _ in range(12)], mode="parallel")
    ids = steps(tasks, parent)
    for task_id in ids:
        assert tasks.claim(task_id)
    workers = [Tasks(tasks.database) for _ in ids]
    barrier = threading.Barrier(len(ids) + cancel, timeout=60)

    def end(n: int) -> None:
        barrier.wait()
        workers[n].end(ids[n], "FAILURE" if n % 3 == 0 else "SUCCESS", error=None if n % 3 else BROKEN)

    def cancels() -> None:
        barrier.wait()
        with suppress(Conflict):  # all have ended before
            tasks.cancel(parent)

    in_threads([partial(end, n) for n in range(len(ids))] + [cancels] * cancel, 120)

    assert status(tasks, parent) in ends
    assert [e["type"] for e in owner_events(tasks) if e.get("task_id") == parent].count("task_completed") == 1
    assert consistent(tasks, parent, *ids)
    for worker in workers:
        worker.connect.close()
