"""The state of a run as its events make it: the table of the protocol, for what a command shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from taskroom.cli.text import moment

ENDS = {"SUCCESS": 0, "FAILURE": 1, "REVOKED": 3}  # and the exit status of who waits for the run
RUNNING_PHASE = ("active", "in_progress")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_NEW_PHASE = {
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


class State:
    """``task`` and the values of ``phases`` have the fields of a snapshot."""

    def __init__(self, snapshot: Mapping[str, Any]) -> None:
        self.task: dict[str, Any] = dict(snapshot["task"])
        self.phases = {phase["phase_id"]: dict(phase) for phase in snapshot["phases"]}
        self.sequence = int(snapshot["sequence"])

    @property
    def has_ended(self) -> bool:
        return self.task["status"] in ENDS

    def apply(self, type: str, event: Mapping[str, Any]) -> None:
        """Applies the next event."""
        if type == "task_status":
            self.task.update({name: event[name] for name in self.task.keys() & event.keys()})
            self.task["status_sequence"] = event["sequence"]
        elif type == "phase_update":
            self._update(self._phase(event), event)
        elif type == "phase_complete":
            self._complete(self._phase(event), event)
        self.sequence = event["sequence"]

    def _phase(self, event: Mapping[str, Any]) -> dict[str, Any]:
        name = event["phase_id"]
        return self.phases.setdefault(name, {"phase_id": name, **_NEW_PHASE})

    def _update(self, phase: dict[str, Any], event: Mapping[str, Any]) -> None:
        if event["status"] == "active":
            phase.update(_NEW_PHASE, started_at=event["timestamp"])
        done, since = phase["processed_count"], phase["updated_at"] or phase["started_at"]
        phase.update(_given(event, "message", "processed_count", "total_count", "error_count"))
        if event["status"] in RUNNING_PHASE:
            phase["half_seconds"] = _half_seconds(phase, done, since, event["timestamp"])
        if "eta_seconds" in event:
            phase["eta_seconds"] = event["eta_seconds"]
        phase.update(status=event["status"], updated_at=event["timestamp"], sequence=event["sequence"])
        self._progress(event)
        if event["status"] in RUNNING_PHASE:
            self.task.update(current_phase=phase["phase_id"], current_phase_message=phase["message"])

    def _complete(self, phase: dict[str, Any], event: Mapping[str, Any]) -> None:
        phase.update(_given(event, "processed_count", "total_count", "error_count", "duration_seconds"))
        phase.update(status="completed", eta_seconds=None, updated_at=event["timestamp"])
        self._progress(event)

    def _progress(self, event: Mapping[str, Any]) -> None:
        self.task.update(updated_at=event["timestamp"], eta_seconds=event.get("task_eta_seconds"))
        self.task.update(_given(event, "progress"))


def _half_seconds(phase: dict[str, Any], done: float, since: str | None, now: str) -> Any:
    """Returns how long after its begin a phase had done half of its items, had it been steady since its last report."""
    half, counted = (phase["total_count"] or 0) / 2, phase["processed_count"]
    if not half or counted < half or not phase["started_at"] or not since:
        return None
    if phase["half_seconds"] is not None or done >= half:
        return phase["half_seconds"]
    begin, last, at = (_milliseconds(time) for time in (phase["started_at"], since, now))
    return max(0, math.floor(last - begin + (half - done) / (counted - done) * (at - last) + 0.5)) / 1000


def _milliseconds(timestamp: str) -> int:
    return (moment(timestamp) - _EPOCH) // timedelta(milliseconds=1)


def _given(event: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: event[name] for name in names if event.get(name) is not None}
