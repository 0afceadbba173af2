"""Tasks that wait in vain for an approval or a worker end by themselves, and no others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from app.db.persistent import PersistentConnection
from app.projections import project
from app.stream.event import task_stream
from app.stream.transaction import Hint, Transactions
from app.tasks import old_tasks
from app.tasks.approvals import ApprovalRequest, approval_wait
from app.tasks.dispatch import hints_of
from app.tasks.forsaken import expire_tasks
from app.tasks.parents import delegation
from tests.stream.helpers import line, patient_single, sql
from tests.tasks.helpers import Tasks

DAYS = 90
ASKED = ApprovalRequest("send", "Send the mail")


@pytest.fixture
def connect(database: str) -> Iterator[Any]:
    connect = patient_single(database)
    yield connect
    connect.close()


@pytest.fixture
def run(tasks: Tasks, connect: Any) -> Callable[..., int]:
    """Returns a function that makes one run, which appends as a worker does."""
    return partial(expire_tasks, connect, tasks.of_any_thread, DAYS)


def ago(tasks: Tasks, days: int, *ids: str) -> None:
    """Moves all rows and events of these tasks into the past."""
    sql(
        tasks.database,
        """UPDATE tasks SET created_at = created_at - make_interval(days => %s),
               updated_at = updated_at - make_interval(days => %s) WHERE id = ANY(%s::uuid[])""",
        *(days, days, list(ids)),
    )
    sql(
        tasks.database,
        "UPDATE dispatches SET due_at = due_at - make_interval(days => %s) WHERE task_id = ANY(%s::uuid[])",
        *(days, list(ids)),
    )
    old = json.dumps({"timestamp": "2001-01-01T00:00:00.000000Z"})
    sql(
        tasks.database,
        """UPDATE events SET payload = %s FROM streams JOIN tasks ON tasks.stream_id = streams.id
           WHERE events.stream_id = streams.id AND tasks.id = ANY(%s::uuid[])""",
        *(old, list(ids)),
    )


def asks(tasks: Tasks) -> str:
    """Creates a task that waits for an approval."""
    task_id = tasks.started()
    tasks.open_phase(task_id)
    tasks.append(approval_wait(task_stream(task_id), ASKED, 10, 1, []))
    return task_id


def retried(tasks: Tasks, countdown: float) -> str:
    task_id = tasks.started()
    tasks.end(task_id, "RETRY", retry_in=countdown)
    return task_id


def test_tasks_that_wait_in_vain_expire_and_say_what_to_do(tasks: Tasks, run: Callable[..., int]) -> None:
    unserved, again, asked = tasks.create(job_type="render"), retried(tasks, 0), asks(tasks)
    ago(tasks, DAYS + 1, unserved, again, asked)

    assert run() == 3

    for task_id in (unserved, again, asked):
        state = tasks.state(task_id)
        assert (state["task"]["status"], state["task"]["error"]["type"]) == ("FAILURE", "Expired")
        assert not [phase for phase in state["phases"] if phase["status"] in ("active", "in_progress")]
    assert tasks.state(unserved)["task"]["error"]["message"] == (
        "No worker took it for 90 days; run a worker for render, then start the task again"
    )
    assert tasks.state(asked)["task"]["error"]["message"] == (
        "Nobody approved or rejected it for 90 days; start the task again when somebody can decide"
    )
    assert not tasks.dispatches() and not tasks.leases()
    assert run() == 0


def test_a_task_that_runs_or_had_an_event_or_is_not_due_stays(tasks: Tasks, run: Callable[..., int]) -> None:
    young, runs, later, recent = tasks.create(), tasks.started(), retried(tasks, 30 * 86_400), asks(tasks)
    ago(tasks, DAYS - 1, young)
    ago(tasks, DAYS + 1, runs, later, recent)
    tasks.append([line(task_stream(recent), "somebody writes to it")])

    assert run() == 0

    statuses = [tasks.state(task_id)["task"]["status"] for task_id in (young, runs, later, recent)]
    assert statuses == ["PENDING", "STARTED", "RETRY", "WAITING"]


def test_a_parent_goes_on_when_a_step_expires(tasks: Tasks, run: Callable[..., int]) -> None:
    steps = [{"job_type": "emit_load", "params": {}, "on_failure": "continue"}] * 2
    parent = tasks.create(job_type="orchestrate", params={"steps": steps, "mode": "sequence"})
    assert tasks.claim(parent)
    tasks.append([delegation(task_stream(parent), 1, 2)])
    ((first,),) = sql(tasks.database, "SELECT id::text FROM tasks WHERE parent_id = %s", parent)
    ago(tasks, DAYS + 1, parent, first)
    hints: list[Hint] = []
    begin = Transactions(
        PersistentConnection(tasks.database),
        project,
        lambda appended: None,
        lambda tx: hints.extend(hints_of(tx)),
    )

    assert expire_tasks(tasks.connect, begin, DAYS) == 1

    (hint,) = hints
    assert tasks.state(parent)["task"]["status"] == "STARTED"
    ago(tasks, DAYS + 1, parent, hint.task_id)
    assert run() == 1
    assert tasks.state(parent)["task"]["finished_at"] is not None


def test_a_run_keeps_its_time_and_reads_all_pages(
    tasks: Tasks, run: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_tasks, "PAGE_TASKS", 2)
    ago(tasks, DAYS + 1, *(tasks.create() for _ in range(5)))

    assert run(seconds=0) == 0
    assert run() == 5
