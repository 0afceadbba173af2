"""The sections of a log: attempts, phases and groups, each from its first event to its last; a part of the fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

ATTEMPT, PHASE, GROUP = "attempt", "phase", "group"
GROUP_STATUSES = OPEN, CLOSED = "open", "closed"
MOST_SECTIONS = 500  # of a task; what begins after them is in the section around it
MOST_OPEN_GROUPS = 8  # within one another
SECTION_FIELDS = ("kind", "name", "group_id", "first_sequence", "last_sequence", "started_at", "ended_at")

Section = Mapping[str, Any]


def after(
    found: Sequence[Section], type: str, event: Mapping[str, Any], retries: int | None
) -> Sequence[Section]:
    """Returns the sections after the event, the same object when it changes none. ``retries``: of the task, after the
    event."""
    if type == "log_group":
        id = event["group_id"]
        if event["status"] == CLOSED:
            return _close(found, event, lambda section: section["group_id"] == id)
        return _open(found, event, GROUP, event["name"], id)
    if type in ("phase_update", "phase_complete"):
        name, status = event["phase_id"], event.get("status")
        if status == "in_progress":
            return found
        found = _close(found, event, lambda section: section["kind"] == PHASE and section["name"] == name)
        return _open(found, event, PHASE, name) if status == "active" else found
    if type != "task_status" or event.get("status") is None:
        return found
    begins = event["status"] == "STARTED"
    if begins and not event.get("attempt"):
        return found
    found = _close(found, event, lambda section: True)
    return _open(found, event, ATTEMPT, str((retries or 0) + 1)) if begins else found


def _open(
    found: Sequence[Section], event: Mapping[str, Any], kind: str, name: str, group_id: str | None = None
) -> Sequence[Section]:
    open_groups = sum(section["kind"] == GROUP and section["ended_at"] is None for section in found)
    if len(found) >= MOST_SECTIONS or (kind == GROUP and open_groups >= MOST_OPEN_GROUPS):
        return found
    begun = (kind, name, group_id, event["sequence"], None, event["timestamp"], None)
    return [*found, dict(zip(SECTION_FIELDS, begun, strict=True))]


def _close(
    found: Sequence[Section], event: Mapping[str, Any], wanted: Callable[[Section], bool]
) -> Sequence[Section]:
    end = {"last_sequence": event["sequence"], "ended_at": event["timestamp"]}
    changed = [s | end if s["ended_at"] is None and wanted(s) else s for s in found]  # type: ignore[operator]
    return found if all(new is old for new, old in zip(changed, found, strict=True)) else changed
