"""The transitions of a task's life cycle, each in one transaction under the lock of the task's stream.

Functions take an open transaction; after its commit it publishes the appended events and sends the hints.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.db.clock import NOW, database_now
from app.errors import Conflict, NotFound
from app.jobs import ORCHESTRATE
from app.stream.event import draft, task_stream
from app.stream.store import lock
from app.stream.transaction import Hint, Transaction
from app.tasks import parents
from app.tasks.approvals import approved_keys
from app.tasks.attempt_events import attempt_events
from app.tasks.creation import insert_task
from app.tasks.endings import BROKER_UNAVAILABLE, WORKER_LOST, cancelled_error, ending_of, task_error
from app.tasks.fold import FAILURE, PENDING, RETRY, REVOKED, STARTED, WAITING, State
from app.tasks.history import earlier_runs
from app.tasks.losses import record_loss
from app.tasks.plan import Declared, Forecast, Plan, Usual, forecast, nothing_declared
from app.tasks.projection import load
from app.tasks.secret_params import params_with_secrets
from app.tasks.step_estimate import plan_of_steps
from app.tasks.steps import step_retry


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one attempt of a task."""

    task_id: str
    attempt: int
    job_type: str
    params: Mapping[str, Any]
    retry_count: int
    started_at: str
    approved: frozenset[str] = frozenset()  # the keys of granted approvals
    parent: tuple[str, str] | None = None  # of a step: the parent's stream, and this step's phase there
    plan: Plan | None = None  # made when the first attempt began, as ``usual``
    usual: Usual | None = None
    phases: frozenset[str] = frozenset()  # of earlier attempts; the limit of a task's phases counts them
    # When this attempt began, by Postgres's clock; ``started_at`` is the beginning of the first attempt.
    claimed_at: str | None = None
    began: float = field(default_factory=time.monotonic, compare=False)  # the same, by the monotonic clock


def create(tx: Transaction, **fields: Any) -> str:
    """Creates a task with the arguments of ``insert_task``, queued unless it waits for approval; returns its id."""
    task_id, drafts = insert_task(tx.cur, **fields)
    tx.append(drafts)
    return task_id


def unfinished_retry(tx: Transaction, task_id: str) -> str | None:
    """Returns the id of a retry of the task that has not ended. The task's stream stays locked, so concurrent retries
    run one after the other and each finds the one before. Raises NotFound when the task was removed meanwhile."""
    cur = tx.cur
    if not lock(cur, [task_stream(task_id)]):
        raise NotFound("There is no such task")
    cur.execute("SELECT id::text FROM tasks WHERE retry_of = %s AND finished_at IS NULL LIMIT 1", (task_id,))
    row = cur.fetchone()
    return str(row[0]) if row else None


def claim(
    tx: Transaction,
    task_id: str,
    attempt: int,
    worker: str,
    again: bool = False,
    at: str | None = None,
    declared: Declared = nothing_declared,
) -> Claim | None:
    """Claims this attempt for this worker; returns None when the message is late, doubled or outdated.

    The dispatch row is the queue entry: it exists only while the task is PENDING or RETRY. ``again`` repeats a claim
    whose commit was unclear: the same worker process finds that it has the task already. ``at`` is the time of a
    beginning that the worker reports later. ``declared`` returns the phases of a job type, for the run's plan.
    """
    cur, stream = tx.cur, task_stream(task_id)
    row = lock(cur, [stream]).get(stream)
    if row is None or row.closed:
        return None
    began = time.monotonic()  # not later than the time by Postgres: no line is later than the end
    cur.execute(f"SELECT {NOW} FROM dispatches WHERE task_id = %s AND number = %s", (task_id, attempt))
    queued = cur.fetchone()
    # Most outdated messages end here, before anything else of the task is read.
    if not queued and not (again and row.attempt == attempt):
        return None
    state, at = load(cur, [stream])[stream], at or (queued[0] if queued else database_now(cur))
    task = state["task"]
    if not queued and (task["status"], task["worker"]) != (STARTED, worker):
        return None
    started_at, expected = task["started_at"] or at, Forecast(task["plan"], task["usual"])
    if queued and expected == Forecast():
        expected = _forecast(cur, task, declared)
    claimed = Claim(
        *(task_id, attempt, task["job_type"], params_with_secrets(cur, task)),
        *(task["retry_count"], started_at),
        approved_keys(cur, task_id),
        parents.parent_phase(cur, task_id),
        *(expected.plan, expected.usual),
        frozenset(phase["phase_id"] for phase in state["phases"]),
        at,
        began,
    )
    if not queued:
        return claimed
    cur.execute("UPDATE streams SET attempt = %s, attempt_given_up = false WHERE id = %s", (attempt, row.id))
    beginning = attempt, worker, at, task["started_at"]
    tx.append(attempt_events(stream, task["job_type"], *beginning, expected, task["retry_count"]))
    return claimed


def _forecast(cur: Cursor, task: State, declared: Declared) -> Forecast:
    """Returns what a run is expected to do. Earlier runs of an orchestration had other steps: only its steps count."""
    task_id, job_type = task["task_id"], task["job_type"]
    if job_type == ORCHESTRATE:
        return Forecast(plan_of_steps(cur, task_id, task["params"], declared))
    phases = declared(job_type)
    return forecast(phases, earlier_runs(cur, job_type, phases, task_id))


def cancel(tx: Transaction, task_id: str, by: str, bulk_id: str | None = None) -> None:
    """Ends a waiting task; asks a running task and its steps to stop at their next report. Raises NotFound, and
    Conflict when the task has ended."""
    cur, stream = tx.cur, task_stream(task_id)
    row = lock(cur, [stream], [stream]).get(stream)
    if row is None:
        raise NotFound("There is no such task")
    if row.closed:
        state = load(cur, [stream])[stream]
        raise Conflict(f"The task has ended already: {state['task']['status']}")
    tx.append(parents.cancel_with_steps(cur, [stream], by, bulk_id))


def end_if_cancelled(tx: Transaction, task_id: str) -> None:
    """Ends a cancelled task whose attempt is over: the cancel came before the attempt left the task waiting, or to
    steps that have not started."""
    cur, stream = tx.cur, task_stream(task_id)
    row = lock(cur, [stream], [stream]).get(stream)
    if row is None or row.closed or not row.cancel_requested or parents.has_steps(cur, task_id):
        return
    state = load(cur, [stream])[stream]
    tx.append(ending_of(stream, state, REVOKED, cancelled_error(), database_now(cur)))


def expire_lease(
    tx: Transaction,
    task_id: str,
    attempt: int,
    retry: bool,
    error: Mapping[str, Any] = WORKER_LOST,
    worker: str | None = None,
) -> bool:
    """Ends an attempt whose worker is gone; returns False when the attempt has ended already.

    With ``retry`` the task gets the status RETRY and a hint, else it fails. Returns False too when another worker than
    ``worker`` runs the attempt: of two workers that got the same message only one claimed it.
    """
    cur, stream = tx.cur, task_stream(task_id)
    row = lock(cur, [stream], [stream]).get(stream)
    if row is None or row.closed or row.attempt != attempt:
        return False
    cur.execute("SELECT 1 FROM leases WHERE task_id = %s AND attempt = %s", (task_id, attempt))
    if cur.fetchone() is None:
        return False  # since the round that counted the lease, the attempt ended or its steps took over
    state, at = load(cur, [stream])[stream], database_now(cur)
    if worker is not None and state["task"]["worker"] != worker:
        return False
    if row.cancel_requested:
        tx.append(ending_of(stream, state, REVOKED, cancelled_error(), at))
        return True
    record_loss(cur, task_id, attempt)
    if retry:
        tx.append(ending_of(stream, state, RETRY, error, at))
        if parent := parents.parent_phase(cur, task_id):
            tx.append([step_retry(*parent, error)])
        # The worker may only have been stopped: what it still reports is refused from here on, not from the next claim.
        cur.execute("UPDATE streams SET attempt_given_up = true WHERE id = %s", (row.id,))
        tx.hints.append(Hint(task_id, attempt + 1, state["task"]["job_type"]))
    else:
        tx.append(ending_of(stream, state, FAILURE, error, at))
    return True


def fail_undeliverable(tx: Transaction, task_id: str) -> bool:
    """Fails a task whose first message the broker did not take; returns False when a worker has claimed it anyway."""
    cur, stream = tx.cur, task_stream(task_id)
    row = lock(cur, [stream], [stream]).get(stream)
    if row is None or row.closed or row.attempt != 0:
        return False
    state = load(cur, [stream])[stream]
    tx.append(ending_of(stream, state, FAILURE, BROKER_UNAVAILABLE, database_now(cur)))
    return True


def decide_approval(
    tx: Transaction, task_id: str, approved: bool, by: str, by_id: str | None = None, reason: str = ""
) -> None:
    """Grants or rejects the approval that the task waits for; a granted task is queued and gets a hint. The error of a
    rejected one has the ``reason``.

    Raises NotFound, and Conflict when the task does not wait: of two decisions at once the first one wins.
    """
    cur, stream = tx.cur, task_stream(task_id)
    row = lock(cur, [stream], [stream]).get(stream)
    if row is None:
        raise NotFound("There is no such task")
    state = load(cur, [stream])[stream]
    task = state["task"]
    if task["status"] != WAITING:
        raise Conflict(f"The task waits for no approval: {task['status']}")
    if row.cancel_requested:  # the cancel came while the attempt asked for approval, so it wins
        tx.append(ending_of(stream, state, REVOKED, cancelled_error(), database_now(cur)))
        return
    cur.execute(
        "SELECT key FROM approvals WHERE task_id = %s AND decided_at IS NULL ORDER BY asked_at DESC LIMIT 1",
        (task_id,),
    )
    (key,) = cur.fetchall()[0]
    at = database_now(cur)
    decision = {"timestamp": at, "key": key, "approved": approved, "by": by, "by_id": by_id}
    decision |= {"reason": reason} if reason else {}
    drafts = [draft(stream, "approval_decided", decision)]
    if not approved:
        error = task_error("Rejected", f"Rejected by {by}: {reason}" if reason else f"Rejected by {by}")
        tx.append(drafts + ending_of(stream, state, REVOKED, error, at))
        return
    fields = {"timestamp": at, "status": PENDING, "is_running": False, "updated_at": at}
    drafts.append(draft(stream, "task_status", fields | {"current_phase_message": None}))
    tx.append(drafts)
    tx.hints.append(Hint(task_id, row.attempt + 1, task["job_type"]))
