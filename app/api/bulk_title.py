"""The title of a bulk action: which runs it is of, in the words of the dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.tasks.bulk import RETRY as START_AGAIN
from app.tasks.fold import FAILURE, PENDING, RETRY, REVOKED, STARTED, SUCCESS, WAITING

LONGEST_TITLE = 255
LONGEST_PART = 60  # characters of a text, a job type or a person
_WHOSE = {"own": "my", "tenant": "the team's", "all": "everybody's"}
_BEFORE = {
    PENDING: "queued",
    STARTED: "running",
    RETRY: "retrying",
    FAILURE: "failed",
    REVOKED: "cancelled",
}
_BEHIND = {SUCCESS: "succeeded", WAITING: "wait for approval"}


def title_of_ids(action: str, number: int) -> str:
    """Returns the title of an action on runs that are named."""
    return f"{action.capitalize()} {number:,} chosen {'run' if number == 1 else 'runs'}"


def title_of_filter(action: str, given: Mapping[str, Any], person: str | None, succeeded: bool) -> str:
    """Returns the title of an action on the runs of a filter with the fields of ``ListQuery``. ``person`` is the name
    of its ``who``, where the caller may know it; ``succeeded``: a retry is also of runs that succeeded."""
    status, behind = given.get("status"), list[str]()
    whose = _WHOSE[given["scope"]]
    if "who" in given:
        whose = f"{_part(person)}'s" if person else "one person's"
    if status in _BEHIND:
        behind.append(_BEHIND[status])
    elif action == START_AGAIN and status is None and not succeeded:
        behind.append("did not succeed")
    if given.get("approval"):
        behind.append("need approval")
    if took := _took(given.get("min_seconds"), given.get("max_seconds")):
        behind.append(took)
    having = [f"“{_part(given['q'])}”"] if "q" in given else []
    having += ["errors"] if given.get("errors") else []
    words = [
        _BEFORE.get(status, "") if status else "",
        _part(given["job_type"]) if "job_type" in given else "",
        "steps of one run" if "parent_id" in given else "runs",
        f"with {' and '.join(having)}" if having else "",
        f"that {' and '.join(behind)}" if behind else "",
        _made(given.get("since"), given.get("until")),
    ]
    said = " ".join(word for word in words if word)
    every = "all " if said == "runs" and whose in ("my", "the team's") else ""
    return _part(f"{action.capitalize()} {every}{whose} {said}", LONGEST_TITLE)


def _part(text: str, most: int = LONGEST_PART) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _took(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f"took {least:g} to {most:g} s"
    if least is not None:
        return f"took {least:g} s or more"
    return f"took {most:g} s or less" if most is not None else ""


def _made(since: datetime | None, until: datetime | None) -> str:
    if since and until:
        return f"made {_at(since)} – {_at(until)} UTC"
    if since:
        return f"made since {_at(since)} UTC"
    return f"made before {_at(until)} UTC" if until else ""


def _at(time: datetime) -> str:
    return f"{time.day} {time:%b %Y, %H:%M}"
