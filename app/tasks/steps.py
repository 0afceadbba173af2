"""The steps of a parent task: each is a task and a phase of its parent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from psycopg2.extensions import cursor as Cursor

from app.stream.event import Draft, draft, now, shortened
from app.tasks.fold import SUCCESS, TERMINAL

STEP_TOTAL = 100  # the total of a step's phase: its progress is counted in percent
RESULTS_LIMIT = 200_000  # bytes of JSON, for all results of steps in the result of their parent


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was started. ``number`` counts from 1."""

    task_id: str
    number: int
    job_type: str
    title: str
    status: str
    error: Mapping[str, Any] | None
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def phase(self) -> str:
        return phase_of(self.number, self.job_type)

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


def phase_of(number: int, job_type: str) -> str:
    """Returns the name of a step's phase in its parent."""
    return f"{number}_{job_type}"


def steps_of(cur: Cursor, parent_id: str) -> list[Step]:
    cur.execute(
        """SELECT id::text, step, job_type, title, status, error, started_at, finished_at
           FROM tasks WHERE parent_id = %s AND step IS NOT NULL ORDER BY step""",
        (parent_id,),
    )
    return [Step(*row) for row in cur]


def phase_update(stream: str, phase: str, **fields: Any) -> Draft:
    """Returns the parent's event of a step's phase. Its estimate and that of the whole end unless they are given."""
    return draft(
        stream, "phase_update", {"timestamp": now(), "phase_id": phase, "eta_seconds": None, **fields}
    )


def step_wait(stream: str, phase: str, title: str) -> Draft:
    """Returns the parent's event for a step that waits for approval."""
    return phase_update(
        stream, phase, status="in_progress", message=shortened(f"Waits for approval: {title}", 2_000)
    )


def step_retry(stream: str, phase: str, error: Mapping[str, Any] | None) -> Draft:
    """Returns the parent's event for a step that waits for its next attempt."""
    why = (error or {}).get("message") or "it failed"
    return phase_update(
        stream, phase, status="in_progress", message=shortened(f"Waits for its next attempt: {why}", 2_000)
    )


def step_end(stream: str, step: Step, progress: float, eta: float | None) -> Iterator[Draft]:
    """Yields the parent's events for the end of a step, which ends its phase. ``eta`` is that of the parent."""
    ok, seconds = step.status == SUCCESS, None
    if step.started_at and step.finished_at:
        seconds = max(0.0, round((step.finished_at - step.started_at).total_seconds(), 3))
    counts = {
        "processed_count": STEP_TOTAL if ok else None,
        "total_count": STEP_TOTAL,
        "error_count": 0 if ok else 1,
    }
    of_parent = {"progress": progress, "task_eta_seconds": eta}
    message = step.title if ok else f"{step.title}: {(step.error or {}).get('message') or step.status}"
    status = "completed" if ok else "error"
    yield phase_update(
        stream, step.phase, status=status, message=shortened(message, 2_000), **of_parent, **counts
    )
    if ok:
        fields = {"phase_id": step.phase, "duration_seconds": seconds, **of_parent, **counts}
        yield draft(stream, "phase_complete", {"timestamp": now(), **fields})


def results_of(cur: Cursor, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Returns the outcome of each step, in order. A result that does not fit beside those before it is replaced by a
    marker; the step's own task has it."""
    results, left = [], RESULTS_LIMIT
    cur.execute(
        "SELECT id::text, result FROM tasks WHERE id = ANY(%s::uuid[])", ([s.task_id for s in steps],)
    )
    found = dict(cur.fetchall())
    for step in steps:
        named = {
            "task_id": step.task_id,
            "job_type": step.job_type,
            "title": step.title,
            "status": step.status,
        }
        result = found[step.task_id]
        size = len(orjson.dumps(result))
        if size <= left:
            left -= size
        else:  # later results may still fit
            result = {"truncated": True, "bytes": size}
        error = {"type": step.error["type"], "message": step.error["message"]} if step.error else None
        results.append(named | {"success": step.status == SUCCESS, "result": result, "error": error})
    return results
