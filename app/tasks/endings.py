"""The events that end attempts and tasks: for workers (fenced by ``attempt``), lost leases, cancels and rejections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.stream.event import Draft, draft, now
from app.tasks.fold import FAILURE, RETRY, SUCCESS, WAITING, State, open_phases
from app.tasks.status import status_event


def task_error(type: str, message: str) -> dict[str, Any]:
    return {"type": type, "message": message, "traceback": None}


WORKER_LOST = task_error("WorkerLost", "The worker that ran this task stopped answering")
# Of an attempt that was lost before: what came of it after that was said before that.
CAME_LATE = task_error(
    "WorkerLost", "What came late of an attempt that was lost before ends here; nothing says how it ended"
)
BROKER_UNAVAILABLE = task_error("BrokerUnavailable", "The message broker could not take the task")

MORE = ("phase", "source")  # fields of an error that are there only when they are known
# Their messages are whole sentences.
OWN_TYPES = frozenset(
    {
        "WorkerLost",
        "BrokerUnavailable",
        "SubtaskFailed",
        "MembersFailed",
        "Expired",
        "Superseded",
        "TaskFailed",
    }
)


def ending(
    stream: str,
    status: str,
    *,
    job_type: str,
    progress: float,
    phases: Iterable[str] = (),
    result: Any = None,
    summary: str | None = None,
    error: Mapping[str, Any] | None = None,
    retry_count: int = 0,
    retry_in: float | None = None,
    bulk_id: str | None = None,
    run_ms: float | None = None,
    attempt: int | None = None,
    at: str | None = None,
    logged_at: str | None = None,
) -> list[Draft]:
    """Returns the last events of an attempt: a line of the log for what failed, the end of its open phases,
    agent_completed when it has ``run_ms``, and the status. ``at`` is by the same clock as the attempt's beginning,
    ``logged_at`` by that of its lines. ``summary`` is the message of a success,
    ``bulk_id`` the bulk action that cancelled the task. An error that does not say its phase
    has the last of those that are open."""
    at, phases = at or now(), list(phases)
    succeeded, terminal = status == SUCCESS, status != RETRY
    drafts = []
    if error is not None:
        error = {"phase": phases[-1] if phases else None, **error}
        error = {name: value for name, value in error.items() if value is not None or name not in MORE}
        # The status of a retry is a line by itself, without the traceback.
        if status == FAILURE or (status == RETRY and error.get("traceback")):
            drafts.append(_line(stream, error, attempt, logged_at or at))
    last: dict[str, Any] = {"timestamp": at, "status": "completed", "eta_seconds": None}
    if not succeeded:
        last |= {"status": "error", "message": (error or {}).get("message")}
    for phase in phases:
        drafts.append(draft(stream, "phase_update", last | {"phase_id": phase}, attempt=attempt))
    if run_ms is not None:
        completed = {"timestamp": at, "agent_type": job_type, "success": succeeded}
        completed["execution_time_ms"] = round(run_ms, 1)
        drafts.append(draft(stream, "agent_completed", completed, attempt=attempt, projected=False))
    more: dict[str, Any] = {"progress_known": True, "current_phase_message": summary} if succeeded else {}
    if retry_in is not None:
        more["retry_in_seconds"] = retry_in
    if bulk_id is not None:
        more["bulk_id"] = bulk_id
    drafts.append(
        status_event(
            stream,
            status,
            at,
            attempt,
            terminal,
            progress=100 if succeeded else progress,
            finished_at=at if terminal else None,
            result=result,
            error=error,
            retry_count=retry_count,
            **more,
        )
    )
    return drafts


def _line(stream: str, error: Mapping[str, Any], attempt: int | None, at: str) -> Draft:
    """Returns the line of the log that says why an attempt failed: the traceback, where there is one."""
    reason = error["message"] if error["type"] in OWN_TYPES else error_text(error)
    fields = {"timestamp": at, "level": "ERROR", "message": (error.get("traceback") or reason).rstrip()}
    fields |= {"component": "taskroom", "phase": error.get("phase")}
    return draft(stream, "log", fields, attempt=attempt, projected=False)


def error_text(error: Mapping[str, Any]) -> str:
    """Returns type and message of an error; only the type where both say the same. static/src/client/outcome.ts has the
    same words."""
    kind, message = str(error["type"]), str(error["message"])
    same = message.removesuffix(".").lower() in ("", kind.lower())
    return kind if same else f"{kind}: {message}"


def cancel_request(stream: str, state: State, by: str) -> Draft:
    """Returns the log line of a running task that is asked to stop."""
    fields = {"timestamp": now(), "level": "WARNING", "message": f"Cancel requested by {by}"}
    fields |= {"component": "taskroom", "phase": state["task"]["current_phase"]}
    return draft(stream, "log", fields, projected=False)


_CANCELLED_BY = "Cancelled by "


def cancelled_error(by: str | None = None) -> dict[str, Any]:
    return task_error("Cancelled", f"{_CANCELLED_BY}{by}" if by else "Cancelled")


def cancelled_by(error: Mapping[str, Any] | None) -> str:
    """Returns who cancelled a task, by the error that it ended with; "" where it does not say."""
    message = str((error or {}).get("message") or "")
    return message.removeprefix(_CANCELLED_BY) if message.startswith(_CANCELLED_BY) else ""


def expired_error(state: State, days: int) -> dict[str, Any]:
    """Returns the error of a task that waited in vain for ``days``; it says for what, and what to do."""
    task = state["task"]
    if task["status"] == WAITING:
        why = f"Nobody approved or rejected it for {days} days; start the task again when somebody can decide"
    elif task["observed"]:
        why = f"Nothing was heard of it for {days} days; its reporter may have lost it"
    else:
        why = f"No worker took it for {days} days; run a worker for {task['job_type']}, then start the task again"
    return task_error("Expired", why)


def ending_of(
    stream: str, state: State, status: str, error: Mapping[str, Any] | None, at: str, **more: Any
) -> list[Draft]:
    """Returns the events of ``ending`` for a task in this state. ``at`` is Postgres's time; a beginning that an
    external worker gave may be later."""
    task = state["task"]
    at = max(at, task["started_at"] or at)
    return ending(
        stream,
        status,
        job_type=task["job_type"],
        progress=task["progress"],
        phases=open_phases(state),
        error=error,
        retry_count=task["retry_count"] + (status == RETRY),
        at=at,
        **more,
    )
