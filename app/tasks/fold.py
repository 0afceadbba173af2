"""The state of a task as a fold of its events: the table in docs/protocol.md, tested by tests/vectors/fold.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app.tasks import sections

State = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

PENDING, WAITING, STARTED, RETRY = "PENDING", "WAITING", "STARTED", "RETRY"
SUCCESS, FAILURE, REVOKED = "SUCCESS", "FAILURE", "REVOKED"
TERMINAL = frozenset({SUCCESS, FAILURE, REVOKED})
STATUSES = (PENDING, WAITING, STARTED, RETRY, SUCCESS, FAILURE, REVOKED)

TASK_FIELDS = (
    *("task_id", "user_id", "job_type", "title", "intent", "params", "parent_id", "retry_of", "again_of"),
    *("trigger", "created_at", "status", "is_running", "current_phase", "current_phase_message", "progress"),
    *("started_at", "updated_at", "finished_at", "eta_seconds", "result", "error", "retry_count"),
    *("attempt", "worker", "progress_known", "plan", "observed", "can_retry", "queue", "root_id", "group_id"),
    *("attempt_started_at", "usual", "status_sequence"),
)
NEW_PHASE: Mapping[str, Any] = {
    "status": "active",
    "message": "",
    "processed_count": 0,
    "total_count": None,
    "error_count": 0,
    "eta_seconds": None,
    "started_at": None,
    "updated_at": None,
    "duration_seconds": None,
    "half_seconds": None,
    "sequence": 0,
}
RUNNING_PHASE = frozenset({"active", "in_progress"})
PHASE_STATUSES = ("active", "in_progress", "completed", "error")


def empty() -> State:
    return {"task": dict.fromkeys(TASK_FIELDS), "phases": [], "sections": [], "sequence": 0}


def fold(state: State, type: str, event: Mapping[str, Any]) -> State:
    """Returns the state after the event. ``state`` is not modified; the new state shares its unchanged parts."""
    if type == "task_status":
        state = state | {"task": _status(state["task"], event)}
    elif type == "phase_update":
        phase = _updated(_phase(state, event["phase_id"]), event)
        state = _with_phase(state, phase) | {"task": _task_of_update(state["task"], phase, event)}
    elif type == "phase_complete":
        phase = _completed(_phase(state, event["phase_id"]), event)
        state = _with_phase(state, phase) | {"task": _with_progress(state["task"], event)}
    found = sections.after(state["sections"], type, event, state["task"]["retry_count"])
    return state | {"sections": found, "sequence": event["sequence"]}


def open_phases(state: State) -> list[str]:
    return [p["phase_id"] for p in state["phases"] if p["status"] in RUNNING_PHASE]


def _status(task: State, event: Mapping[str, Any]) -> State:
    given = {name: event[name] for name in TASK_FIELDS if name in event}
    return task | given | {"status_sequence": event["sequence"]}


def _phase(state: State, phase_id: str) -> State:
    for phase in state["phases"]:
        if phase["phase_id"] == phase_id:
            return dict(phase)
    return {"phase_id": phase_id, **NEW_PHASE}


def _updated(phase: State, event: Mapping[str, Any]) -> State:
    if event["status"] == "active":
        phase = {"phase_id": phase["phase_id"], **NEW_PHASE, "started_at": event["timestamp"]}
    before = phase["processed_count"], phase["updated_at"] or phase["started_at"]
    phase |= _given(event, "message", "processed_count", "total_count", "error_count")
    if "eta_seconds" in event:
        phase["eta_seconds"] = event["eta_seconds"]
    if event["status"] in RUNNING_PHASE:
        phase["half_seconds"] = _half_seconds(phase, *before, event["timestamp"])
    return phase | {
        "status": event["status"],
        "updated_at": event["timestamp"],
        "sequence": event["sequence"],
    }


def _half_seconds(phase: State, done: float, since: str | None, now: str) -> Any:
    """Returns how long after its begin a phase had done half of its items. Between its last two reports, ``done`` items
    at ``since`` and the count of now, it is taken to have been steady."""
    half = (phase["total_count"] or 0) / 2
    if not half or phase["processed_count"] < half or not phase["started_at"] or not since:
        return None
    if phase["half_seconds"] is not None or done >= half:
        return phase["half_seconds"]
    begin, last, at = _milliseconds(phase["started_at"]), _milliseconds(since), _milliseconds(now)
    part = (half - done) / (phase["processed_count"] - done)
    return max(0, math.floor(last - begin + part * (at - last) + 0.5)) / 1000


def _milliseconds(timestamp: str) -> int:
    """Returns whole milliseconds: a browser knows no smaller ones, and computes the same."""
    return (datetime.fromisoformat(timestamp) - _EPOCH) // timedelta(milliseconds=1)


def _completed(phase: State, event: Mapping[str, Any]) -> State:
    phase |= _given(event, "processed_count", "total_count", "error_count", "duration_seconds")
    return phase | {"status": "completed", "eta_seconds": None, "updated_at": event["timestamp"]}


def _task_of_update(task: State, phase: State, event: Mapping[str, Any]) -> State:
    task = _with_progress(task, event)
    if event["status"] in RUNNING_PHASE:
        task |= {"current_phase": phase["phase_id"], "current_phase_message": phase["message"]}
    return task


def _with_progress(task: State, event: Mapping[str, Any]) -> State:
    # An estimate is as old as ``updated_at``: an event without one withdraws it.
    times = {"updated_at": event["timestamp"], "eta_seconds": event.get("task_eta_seconds")}
    return task | times | _given(event, "progress")


def _with_phase(state: State, phase: State) -> State:
    phases = list(state["phases"])
    for i, known in enumerate(phases):
        if known["phase_id"] == phase["phase_id"]:
            phases[i] = phase
            break
    else:
        phases.append(phase)
    return state | {"phases": phases}


def _given(event: Mapping[str, Any], *names: str) -> State:
    return {name: event[name] for name in names if event.get(name) is not None}
