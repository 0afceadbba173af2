"""A run as plain lines: one for each change of its status and phases, not one for each item."""

from __future__ import annotations

from typing import Any

from taskroom.cli.fold import State
from taskroom.cli.text import (
    duration,
    error_text,
    harmless,
    is_retry,
    moment,
    one_line,
    retry_text,
    seconds_between,
)

STEP = 10  # percent of a phase between two lines of it
PAUSE_SECONDS = 5.0  # between two lines of a phase whose total is not known


class Plain:
    def __init__(self) -> None:
        self._status: str | None = None
        self._shown: dict[str, tuple[int | None, str]] = {}  # by phase: percent and time of its last line

    def begin(self, state: State) -> None:
        for phase in state.phases.values():
            at = phase["updated_at"] or phase["started_at"]
            self._shown[phase["phase_id"]] = _percent(phase), at
            _print(at, _summary(phase))
        self._of_status(state, state.task["updated_at"])

    def changed(self, type: str, state: State, event: dict[str, Any]) -> None:
        if type == "task_status":
            self._of_status(state, event["timestamp"])
            if is_retry(event):
                _print(event["timestamp"], retry_text(event))
        elif type == "phase_update":
            self._phase(state.phases[event["phase_id"]], event["timestamp"])
        elif type == "phase_complete":
            _print(event["timestamp"], _summary(state.phases[event["phase_id"]]))

    def end(self, state: State) -> None:
        error = state.task["error"]
        if error:
            _print(state.task["finished_at"] or state.task["updated_at"], error_text(error))
            print(harmless(error.get("traceback") or ""), end="")

    def _of_status(self, state: State, at: str) -> None:
        task = state.task
        if task["status"] == self._status:
            return
        self._status = task["status"]
        details = [one_line(task["title"])]
        if task["status"] == "STARTED" and task["worker"]:
            details.append(f"on {one_line(task['worker'])}")
        if state.has_ended and task["started_at"]:
            details.append(f"after {duration(seconds_between(task['started_at'], task['finished_at']))}")
        _print(at, f"{task['status']}  {', '.join(details)}")

    def _phase(self, phase: dict[str, Any], at: str) -> None:
        name, percent = phase["phase_id"], _percent(phase)
        before = self._shown.get(name)
        if phase["status"] == "in_progress" and before is not None:
            if percent is not None and percent == before[0]:
                return
            if percent is None and seconds_between(before[1], at) < PAUSE_SECONDS:
                return
        self._shown[name] = percent, at
        if phase["status"] != "completed":  # its counts come with the end of the phase
            _print(at, _summary(phase))


def _percent(phase: dict[str, Any]) -> int | None:
    """What is done, in whole steps; None where the total is not known."""
    total = phase["total_count"]
    return int(100 * phase["processed_count"] / total) // STEP * STEP if total else None


def _summary(phase: dict[str, Any]) -> str:
    total, done, errors = phase["total_count"], phase["processed_count"], phase["error_count"]
    text = f"{one_line(phase['phase_id'])}: {phase['status']}"
    if total is not None:
        text += f", {done:,} of {total:,}"
    elif done:
        text += f", {done:,}"
    if errors:
        text += f", {errors:,} failed"
    if phase["duration_seconds"] is not None:
        text += f", {duration(phase['duration_seconds'])}"
    return f"{text}, {one_line(phase['message'])}" if phase["message"] else text


def _print(at: str, text: str) -> None:
    print(f"{moment(at).astimezone():%H:%M:%S}  {text}", flush=True)
