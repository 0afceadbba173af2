"""The fields of a task that a part of a batch says: all at the first mention, what was missing at later ones."""

from __future__ import annotations

from typing import Any, NamedTuple

from app.tasks.observed.creation import INTENT
from app.tasks.observed.part import LONGEST_TITLE, LONGEST_TYPE, Part, name_of, params_of
from app.tasks.observed.task import GROUP, UNKNOWN, ObservedTask
from app.tasks.reported import time_text


class Place(NamedTuple):
    """Where a task is in the tree. ``group_id`` is the group that the part names, under whatever parent it is."""

    parent_id: str | None = None
    root_id: str | None = None
    group_id: str | None = None


def first_fields(part: Part, user_id: str, place: Place) -> dict[str, Any]:
    """Returns the fields of the first event of a task that the part makes."""
    job_type = name_of(part.job_type, LONGEST_TYPE) or UNKNOWN
    return _fields(user_id, place) | {
        "job_type": job_type,
        "title": name_of(part.title, LONGEST_TITLE) or job_type,
        "params": params_of(part),
        "can_retry": bool(part.can_retry),
        "queue": name_of(part.queue),
    }


def unheard_fields(user_id: str, part: Part) -> dict[str, Any]:
    """Returns the fields of a task of which only a child was heard: the one that the part is about."""
    title = f"Parent of {name_of(part.job_type, LONGEST_TYPE) or UNKNOWN}"
    return _fields(user_id, Place()) | {"job_type": UNKNOWN, "title": title}


def group_fields(user_id: str, place: Place, part: Part) -> dict[str, Any]:
    """Returns the fields of the node of a group whose first member is in this place, and is what the part says."""
    job_type = name_of(part.job_type, LONGEST_TYPE) or UNKNOWN
    return _fields(user_id, Place(None, place.root_id, place.group_id)) | {
        "job_type": GROUP,
        "title": f"Group of {job_type}",
    }


def retry_fields(task: ObservedTask, goes_on: bool) -> dict[str, Any]:
    """Returns the fields of a task for an attempt that begins, or ``goes_on``, after the end of another task."""
    same = ("user_id", "job_type", "title", "params", "can_retry", "queue", "root_id", "group_id")
    changed = {"retry_of": task.task_id, "trigger": "retry"}
    if goes_on:
        changed["parent_id"] = task.fields["parent_id"]
    return _fields("", Place()) | {name: task.fields[name] for name in same} | changed


def _fields(user_id: str, place: Place) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "intent": INTENT,
        "params": {},
        "parent_id": place.parent_id,
        "retry_of": None,
        "trigger": "subtask" if place.parent_id else "manual",
        "observed": True,
        "can_retry": False,
        "queue": None,
        "root_id": place.root_id,
        "group_id": place.group_id,
    }


def later_fields(task: ObservedTask, part: Part, user_id: str | None, place: Place) -> dict[str, Any]:
    """Returns what the part adds to a known task. What was said before stays, but whether it can be started again.

    ``user_id`` is the owner that the part names. A task of which only a child was heard gets all fields.
    """
    known = task.fields
    said: dict[str, Any] = place._asdict() | {"queue": name_of(part.queue)}
    changes = {name: value for name, value in said.items() if value and not known[name]}
    if changes.get("parent_id") and known["trigger"] == "manual":
        changes["trigger"] = "subtask"
    if not known["params"] and (params := params_of(part)):
        changes["params"] = params
    if not task.heard:
        changes["job_type"] = name_of(part.job_type, LONGEST_TYPE) or UNKNOWN
        changes["title"] = name_of(part.title, LONGEST_TITLE) or changes["job_type"]
        if user_id:
            changes["user_id"] = user_id
        if at := created_at(part):
            changes["created_at"] = at
    elif part.title and known["title"] == known["job_type"]:
        changes["title"] = name_of(part.title, LONGEST_TITLE) or known["title"]
    comes_late = task.attempt and part.events and part.only_waits  # its sender was slower than the worker
    if part.can_retry is not None and not comes_late:
        changes["can_retry"] = part.can_retry
    return {name: value for name, value in changes.items() if value != known[name]}


def created_at(part: Part) -> str | None:
    """Returns the time of the creation: as given, else that of the first event, if it has one."""
    given = part.created_at or (part.events[0].timestamp if part.events else None)
    return time_text(given) if given else None
