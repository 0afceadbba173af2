"""Events for a task's owner that follow from the task's events, appended in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.inbox.run_notice import ASKS, run_notice
from app.jobs import BULK, NOTHING_DONE, ORCHESTRATE
from app.stream.event import Draft, Event, draft, user_stream
from app.tasks.endings import CAME_LATE, cancelled_by
from app.tasks.fold import FAILURE, REVOKED, STARTED, SUCCESS, TERMINAL, WAITING, State

ARTIFACT = "artifact"  # the job type that has event types of its own
OWNER_EVENT_TYPES = frozenset(
    {"task_status", "phase_update", "agent_started", "agent_completed", "approval_needed", "approval_decided"}
)

_ENDS = {
    SUCCESS: ("generation_complete", "has finished"),
    FAILURE: ("generation_failed", "has failed"),
    REVOKED: ("info", "was cancelled"),
}
_ARTIFACT_ENDS = {SUCCESS: "artifact.completed", FAILURE: "artifact.failed", REVOKED: "artifact.cancelled"}


def owner_events(
    before: State, after: State, event: Event, fields: Mapping[str, Any], tenant: Callable[[], str | None]
) -> Iterator[Draft]:
    """Yields the events for the owner's stream that follow from a task's event with these fields.

    ``before`` and ``after`` are the states around the event; ``tenant`` returns the task's tenant. For one task the
    order is: task_created, approval_needed, status_changed, agent_started, agent_completed, task_completed,
    status_changed.
    """
    stream = user_stream(after["task"]["user_id"])
    for type, data in _events(before["task"], after["task"], event, fields):
        if type == "notification":
            task = after["task"]
            same = {"run_id": task["task_id"], "job_type": task["job_type"]}
            yield run_notice(stream, **data, **same, tenant=tenant())
        else:
            yield draft(stream, type, {"timestamp": fields["timestamp"], **data}, projected=False)


def _events(
    was: State, task: State, event: Event, fields: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (type, fields) of each event; a notification's fields are the arguments of ``run_notice``."""
    same = {"task_id": task["task_id"]}
    if event.type == "agent_started":
        yield event.type, same | {"agent_type": fields["agent_type"]}
    elif event.type == "agent_completed":
        yield (
            event.type,
            same | {name: fields[name] for name in ("agent_type", "success", "execution_time_ms")},
        )
    elif event.type == "approval_needed":
        named = {name: fields[name] for name in ("title", "risk_level", "estimated_cost")}
        yield event.type, same | named | {"key": fields["key"]}
        yield "notification", _approval_notification(task, named)
    elif event.type == "approval_decided":
        yield event.type, same | {name: fields[name] for name in ("key", "approved", "by", "by_id")}
        if fields["approved"]:
            yield "notification", _no_question(task, "was approved", f"by {fields['by']}")
    elif event.type == "phase_update":
        if _is_artifact(task) and task["progress"] != was["progress"]:
            yield "artifact.progress", _artifact(task) | {"progress": task["progress"]}
    elif event.sequence == 1 or task["user_id"] != was["user_id"]:  # it was made, or is another user's now
        named = {name: task[name] for name in ("title", "status", "intent", "parent_id")}
        yield "task_created", same | named
    elif task["status"] != was["status"]:
        yield from _status_changed(was["status"], task, "bulk_id" in fields)


def _status_changed(previous: str, task: State, in_bulk: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """``in_bulk``: a bulk action cancelled it, whose one notification counts all runs of the owner."""
    status, artifact = task["status"], _is_artifact(task)
    changed = {"task_id": task["task_id"], "status": status}
    if status in TERMINAL:
        if artifact:
            yield _ARTIFACT_ENDS[status], _artifact(task) | _outcome(task)
        yield "task_completed", changed | {"success": status == SUCCESS} | _subtasks(task)
    yield "status_changed", changed | {"previous_status": previous}
    if artifact and status == STARTED and task["attempt"] == 1:
        yield "artifact.started", _artifact(task)
    if status in TERMINAL:
        if _is_notified(task) and not in_bulk:
            yield "notification", _end_notification(task)
        elif previous == WAITING:
            yield "notification", _no_question(task, _ENDS[status][1])


def _is_notified(task: State) -> bool:
    """Whether the owner hears of this status. The parent of a step has the notifications. Observed tasks are many, and
    their parents do not fail with them: each failure is told, but of a member of a group, which fails itself, and of
    what came late of an attempt whose loss was told."""
    if not task["observed"]:
        return task["parent_id"] is None
    in_group = task["parent_id"] is not None and task["parent_id"] == task["group_id"]
    came_late = (task["error"] or {}).get("message") == CAME_LATE["message"]
    return task["status"] == FAILURE and not in_group and not came_late


def _is_artifact(task: State) -> bool:
    return task["job_type"] == ARTIFACT and not task["observed"]


def _artifact(task: State) -> dict[str, Any]:
    named = {name: task["params"].get(name) for name in ("artifact_type", "notebook_id")}
    return {"job_id": task["task_id"], **named}


def _outcome(task: State) -> dict[str, Any]:
    if task["status"] == SUCCESS:
        return {"result": task["result"]}
    if task["status"] == FAILURE:
        return {"error": (task["error"] or {}).get("message"), "retry_count": task["retry_count"]}
    return {}


def _subtasks(task: State) -> dict[str, Any]:
    result = task["result"]
    known = task["job_type"] == ORCHESTRATE and isinstance(result, dict) and "subtask_results" in result
    return {"subtask_results": result["subtask_results"]} if known else {}


def _end_notification(task: State) -> dict[str, Any]:
    kind, what = ("warning", "changed nothing") if _did_nothing(task) else _ENDS[task["status"]]
    failed = task["status"] == FAILURE
    return {
        "title": f"{task['title'][:230]} {what}",
        "message": (task["error"] or {}).get("message") or task["current_phase_message"] or "",
        "type": kind,
        "urgent": failed,
        "choice": "failures" if failed else "all",
        "again": failed,
        "by": cancelled_by(task["error"]),
    }


def _did_nothing(task: State) -> bool:
    """Whether it is a bulk action that has succeeded and changed no run."""
    said = task["current_phase_message"] or ""
    return task["job_type"] == BULK and task["status"] == SUCCESS and said.startswith(NOTHING_DONE)


def _approval_notification(task: State, approval: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": f"Approval needed: {approval['title']}",
        "message": f"{task['title']} waits for it; the risk is {approval['risk_level']}",
        "type": ASKS,
        "urgent": True,
        "metadata": dict(approval),
        "choice": "approvals",
        "again": True,
    }


def _no_question(task: State, what: str, message: str = "") -> dict[str, Any]:
    """Returns the notification that nothing is asked any more."""
    return {
        "title": f"{task['title'][:230]} {what}",
        "message": message,
        "type": "info",
        "only_changes": True,
    }
