"""What the owner of a task is told of it: what concerns both goes onto both streams, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.inbox.notification import notification
from app.stream.event import Draft, Event, draft, user_stream
from app.tasks.fold import FAILURE, REVOKED, STARTED, SUCCESS, TERMINAL, State

ARTIFACT = "artifact"  # the job type whose steps are told under names of their own
ORCHESTRATE = "orchestrate"  # the one whose steps are tasks
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
    """What follows on the owner's stream from an event of the task, whose fields are given.

    ``before`` and ``after`` are the states around it, ``tenant`` asks for the task's. For one task the order is:
    task_created, approval_needed, status_changed, agent_started, agent_completed, task_completed, status_changed.
    """
    for type, told in _of(before["task"], after["task"], event, fields):
        if type == "notification":
            yield notification(user_stream(after["task"]["user_id"]), **told, tenant=tenant())
        else:
            told = {"timestamp": fields["timestamp"], **told}
            yield draft(user_stream(after["task"]["user_id"]), type, told, projected=False)


def _of(
    was: State, task: State, event: Event, fields: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
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
        yield "notification", _asked(task, named)
    elif event.type == "approval_decided":
        yield event.type, same | {name: fields[name] for name in ("key", "approved", "by", "by_id")}
    elif event.type == "phase_update":
        if task["job_type"] == ARTIFACT and task["progress"] != was["progress"]:
            yield "artifact.progress", _artifact(task) | {"progress": task["progress"]}
    elif event.sequence == 1:
        named = {name: task[name] for name in ("title", "status", "intent", "parent_id")}
        yield "task_created", same | named
    elif task["status"] != was["status"]:
        yield from _changed(was["status"], task)


def _changed(previous: str, task: State) -> Iterator[tuple[str, dict[str, Any]]]:
    status, artifact = task["status"], task["job_type"] == ARTIFACT
    changed = {"task_id": task["task_id"], "status": status}
    if status in TERMINAL:
        if artifact:
            yield _ARTIFACT_ENDS[status], _artifact(task) | _outcome(task)
        yield "task_completed", changed | {"success": status == SUCCESS} | _subtasks(task)
    yield "status_changed", changed | {"previous_status": previous}
    if artifact and status == STARTED and task["attempt"] == 1:
        yield "artifact.started", _artifact(task)
    if task["parent_id"] is None:  # of the steps of a task its owner hears by the task itself
        yield from _notice(task)


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


def _notice(task: State) -> Iterator[tuple[str, dict[str, Any]]]:
    """The one for its owner; a later attempt of the same task is no news."""
    status, message = task["status"], ""
    if status in TERMINAL:
        kind, what = _ENDS[status]
        message = (task["error"] or {}).get("message") or ""
    elif status == STARTED and task["attempt"] == 1:
        kind, what = "generation_started", "has started"
    else:
        return
    yield (
        "notification",
        {
            "title": f"{task['title'][:230]} {what}",
            "message": message,
            "type": kind,
            "urgent": status == FAILURE,
            **_about(task),
        },
    )


def _asked(task: State, approval: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": f"Approval needed: {approval['title']}",
        "message": f"{task['title']} waits for it; the risk is {approval['risk_level']}",
        "type": "approval_required",
        "urgent": True,
        "metadata": dict(approval),
        **_about(task),
    }


def _about(task: State) -> dict[str, Any]:
    return {"related_type": "task", "related_id": task["task_id"], "action_url": f"/runs/{task['task_id']}"}
