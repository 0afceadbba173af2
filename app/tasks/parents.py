"""Parent tasks and their steps, which are tasks too.

A parent holds no worker while its steps run. The transaction that ends a step also appends to the parent's stream and
starts the next step or ends the parent. It holds the parent's lock (see ``lock``), so of two steps that end at once the
second one sees the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.db.clock import database_now, seconds_between
from app.stream.event import Draft, draft, now, shortened, task_stream
from app.stream.store import lock
from app.tasks.approvals import START, ApprovalRequest
from app.tasks.creation import Origin, insert_task
from app.tasks.endings import cancel_request, cancelled_error, ending_of, task_error
from app.tasks.fold import FAILURE, REVOKED, STARTED, SUCCESS, TERMINAL, State, open_phases
from app.tasks.projection import load
from app.tasks.secret_params import params_with_secrets
from app.tasks.step_estimate import PARALLEL, overall_progress, planned_seconds, remaining
from app.tasks.steps import (
    STEP_TOTAL,
    Step,
    phase_of,
    phase_update,
    results_of,
    step_end,
    step_wait,
    steps_of,
)

SEQUENCE = "sequence"
STOP, CONTINUE = "stop", "continue"
LONGEST_TITLE = 255


def parent_phase(cur: Cursor, task_id: str) -> tuple[str, str] | None:
    """Returns a step's parent stream and its phase there; None for a task without a parent."""
    cur.execute(
        "SELECT parent_id::text, step, job_type FROM tasks WHERE id = %s AND step IS NOT NULL",
        (task_id,),
    )
    row = cur.fetchone()
    return (task_stream(row[0]), phase_of(*row[1:])) if row else None


def has_steps(cur: Cursor, task_id: str) -> bool:
    cur.execute("SELECT 1 FROM tasks WHERE parent_id = %s AND step IS NOT NULL LIMIT 1", (task_id,))
    return cur.fetchone() is not None


def delegation(stream: str, attempt: int, count: int) -> Draft:
    """Returns the last event of an attempt that leaves the work to ``count`` steps; appending it starts them."""
    at = now()
    fields = {
        "timestamp": at,
        "status": STARTED,
        "is_running": True,
        "current_phase": None,
        "current_phase_message": f"{count} steps",
        "progress": 0,
        "progress_known": True,  # from its steps, whatever phases its earlier runs had
        "updated_at": at,
        "delegated": True,
    }
    return draft(stream, "task_status", fields, attempt=attempt)


def apply_to_parents(cur: Cursor, changed: Iterable[tuple[State, Mapping[str, Any]]]) -> list[Draft]:
    """Applies the new statuses of tasks to their parents and steps; returns the events to append.

    ``changed``: tasks after the change, each with the fields of its status event.
    """
    drafts, ended = list[Draft](), list[State]()
    for task, event in changed:
        if event.get("delegated"):
            drafts += _start_steps(cur, task)
        elif event.get("status") in TERMINAL and task["parent_id"] and not task["observed"]:
            ended.append(task)
    parent_of = itemgetter("parent_id")
    for parent_id, steps in groupby(sorted(ended, key=parent_of), key=parent_of):
        drafts += _apply_ended_steps(cur, parent_id, {task["task_id"] for task in steps})
    return drafts


def cancel_with_steps(cur: Cursor, streams: Iterable[str], by: str, bulk: str | None = None) -> list[Draft]:
    """Ends the waiting ones of these tasks and asks the running ones to stop, with all their steps; returns the events
    to append. The caller holds the locks of the tasks' ancestors; those of the tasks are taken here."""
    drafts = list[Draft]()
    rows = lock(cur, streams)
    for stream, state in load(cur, list(rows)).items():
        row, task = rows[stream], state["task"]
        if row.closed:
            continue
        if task["status"] != STARTED:
            drafts += ending_of(stream, state, REVOKED, cancelled_error(by), database_now(cur), bulk_id=bulk)
            continue
        if not row.cancel_requested:
            cur.execute("UPDATE streams SET cancel_requested = true WHERE id = %s", (row.id,))
            drafts.append(cancel_request(stream, state, by))
        # On a repeated cancel too: a step that ran at the first one may wait now.
        running = [task_stream(step.task_id) for step in steps_of(cur, task["task_id"]) if not step.ended]
        drafts += cancel_with_steps(cur, running, by, bulk) if running else []
    return drafts


def parent_progress(cur: Cursor, task_id: str, progress: float, eta: float | None) -> list[Draft]:
    """Returns the events that report a step's progress (0 to 100) and ETA to its parents; [] when another transaction
    holds the lock of a parent. To wait could deadlock, for the caller may hold the lock that the other needs; the next
    report tries again."""
    cur.execute(
        """SELECT name FROM streams
           WHERE id = ANY(ARRAY(SELECT unnest(ancestors) FROM streams WHERE name = %s)) ORDER BY id DESC""",
        (task_stream(task_id),),
    )
    parents = [name for (name,) in cur]
    rows, drafts = lock(cur, parents, wait=False), list[Draft]()
    if len(rows) < len(parents):
        return drafts
    states = load(cur, parents)
    for stream in parents:
        cur.execute("SELECT step, job_type, title FROM tasks WHERE id = %s", (task_id,))
        number, job_type, title = cur.fetchall()[0]
        phase, state = phase_of(number, job_type), states[stream]
        known = {p["phase_id"]: p for p in state["phases"]}.get(phase)
        if rows[stream].closed or known is None or known["status"] in ("completed", "error"):
            break
        counts = {"status": "in_progress", "processed_count": int(progress), "total_count": STEP_TOTAL}
        counts |= {"message": title, "eta_seconds": eta}
        progress = overall_progress(state, {phase: progress})
        eta = remaining(state, now(), {phase: eta})
        drafts.append(phase_update(stream, phase, progress=progress, task_eta_seconds=eta, **counts))
        task_id = state["task"]["task_id"]
    return drafts


def _start_steps(cur: Cursor, task: State) -> Iterator[Draft]:
    stream = task_stream(task["task_id"])
    if lock(cur, [stream])[stream].cancel_requested:
        return  # the task keeps its lease: its worker sees the cancel and ends it, or the lease expires
    cur.execute("DELETE FROM leases WHERE task_id = %s", (task["task_id"],))
    first = task["params"]["steps"] if task["params"]["mode"] == PARALLEL else task["params"]["steps"][:1]
    for number in range(1, len(first) + 1):
        yield from _start_step(cur, {"task": task, "phases": []}, number, {})


def _start_step(cur: Cursor, state: State, number: int, ended: Mapping[str, float]) -> list[Draft]:
    """``ended``: the phases of steps that have ended, each with 0 seconds left."""
    parent = state["task"]
    asked = parent["params"]["steps"][number - 1]
    approval = ApprovalRequest(START, **asked["approval"]) if asked.get("approval") else None
    title = asked.get("title") or shortened(f"{parent['title']}: {asked['job_type']}", LONGEST_TITLE)
    _, drafts = insert_task(
        cur,
        user_id=parent["user_id"],
        job_type=asked["job_type"],
        title=title,
        intent=parent["intent"],
        params=asked["params"],
        secret_params=params_with_secrets(cur, parent)["steps"][number - 1]["params"],
        approval=approval,
        origin=Origin("subtask", parent_id=parent["task_id"], step=number),
    )
    stream, phase = task_stream(parent["task_id"]), phase_of(number, asked["job_type"])
    seconds = None if approval else planned_seconds(state, phase)
    about = {"message": title, "total_count": STEP_TOTAL, "eta_seconds": seconds}
    eta = remaining(state, now(), {**ended, phase: seconds})
    drafts.append(phase_update(stream, phase, status="active", task_eta_seconds=eta, **about))
    return drafts + ([step_wait(stream, phase, approval.title)] if approval else [])


def _apply_ended_steps(cur: Cursor, parent_id: str, ended: set[str]) -> Iterator[Draft]:
    stream = task_stream(parent_id)
    row = lock(cur, [stream])[stream]
    if row.closed:
        return
    state, steps = load(cur, [stream])[stream], steps_of(cur, parent_id)
    asked = state["task"]["params"]["steps"]
    over = {step.phase: 0.0 for step in steps if step.ended}
    open_now = open_phases(state)
    stopped = sorted(
        (s for s in steps if s.ended and s.status != SUCCESS and asked[s.number - 1]["on_failure"] == STOP),
        # A step that was cancelled because another failed is not the cause, whatever the workers' clocks say.
        key=lambda step: (step.status != FAILURE, step.finished_at, step.number),
    )
    ends = row.cancel_requested or bool(stopped)
    progress = overall_progress(state, _done(state, steps, ends))
    eta = None if ends else remaining(state, now(), over)
    for step in steps:
        # A late report of an attempt may have opened a phase again that had ended.
        if step.task_id in ended or (step.ended and step.phase in open_now):
            yield from step_end(stream, step, progress, eta)
    running = [step for step in steps if not step.ended]
    if ends:
        if running and not row.cancel_requested:
            why = f"step {stopped[0].number}, which {'failed' if stopped[0].status == FAILURE else 'was cancelled'}"
            yield from cancel_with_steps(cur, [task_stream(step.task_id) for step in running], why)
        elif not running:
            culprit = None if row.cancel_requested else stopped[0]
            yield from _parent_ending(cur, stream, state, progress, steps, culprit)
    elif len(steps) < len(asked):
        yield from _start_step(cur, state, len(steps) + 1, over)
    elif not running:
        yield from _parent_ending(cur, stream, state, progress, steps, None, SUCCESS)


def _done(state: State, steps: Sequence[Step], ends: bool) -> dict[str, float]:
    """Returns the progress of the steps that have ended. Nothing is left of a step that failed; but when the parent
    ends with it, the step stays where it was."""
    reached = {phase["phase_id"]: float(phase["processed_count"]) for phase in state["phases"]}
    return {
        step.phase: reached.get(step.phase, 0.0) if ends and step.status != SUCCESS else STEP_TOTAL
        for step in steps
        if step.ended
    }


def _parent_ending(
    cur: Cursor,
    stream: str,
    state: State,
    progress: float,
    steps: Sequence[Step],
    culprit: Step | None,
    status: str = REVOKED,
) -> list[Draft]:
    """Returns the last events of a parent whose last step has ended; with a ``culprit`` it fails or is revoked as that
    step was."""
    error: Mapping[str, Any] | None = None
    if culprit:
        status = FAILURE if culprit.status == FAILURE else REVOKED
        why = (culprit.error or {}).get("message") or culprit.status
        message = shortened(f"Step {culprit.number} ({culprit.job_type}): {why}", 2_000)
        error = task_error("SubtaskFailed", message) | {"phase": culprit.phase}
    elif status == REVOKED:
        error = cancelled_error()
    at = database_now(cur)
    run_ms = seconds_between(state["task"]["started_at"], at) * 1000
    of_steps = {step.phase for step in steps}  # each has ended as its step did, not as the parent does
    others = [phase for phase in state["phases"] if phase["phase_id"] not in of_steps]
    state = state | {"task": state["task"] | {"progress": progress}, "phases": others}
    result = {"subtask_results": results_of(cur, steps)}
    return ending_of(stream, state, status, error, at, result=result, run_ms=run_ms)
