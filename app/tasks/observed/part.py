"""The part of a batch that is about one task, and why a part is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import orjson
from msgspec import Meta, Raw, Struct, field

from app.jobs.secrets import without_secrets
from app.stream.event import clean, scrub
from app.tasks.observed.ahead import Ahead
from app.tasks.reported import ReportedEvent, Status, null

MOST_TASKS, MOST_EVENTS = 50, 2_000  # of a batch
LONGEST_ID, LONGEST_ATTEMPT = 155, 64
LEAST_LEASE, LONGEST_LEASE = 5, 86_400
DEFAULT_LEASE = 60
LONGEST_TYPE, LONGEST_TITLE, LONGEST_NAME = 155, 255, 255  # longer texts are cut
PARAMS_LIMIT = 64 * 1024  # bytes of JSON, as of started tasks

TaskId = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]


class Part(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out was said before, or is not known."""

    task_id: TaskId
    attempt: Annotated[str, Meta(min_length=1, max_length=LONGEST_ATTEMPT)] | None = None
    job_type: Annotated[str, Meta(min_length=1)] | None = None
    title: str | None = None
    params: Raw = field(default_factory=null)
    parent_id: TaskId | None = None
    group_id: TaskId | None = None
    root_id: TaskId | None = None
    owner: str | None = None
    queue: str | None = None
    worker: str | None = None
    created_at: datetime | None = None
    lease_seconds: Annotated[int, Meta(ge=0, le=LONGEST_LEASE)] | None = None
    can_retry: bool | None = None
    ahead: list[Ahead] | None = None
    events: list[ReportedEvent] = []

    @property
    def only_waits(self) -> bool:
        """Whether it says no more than that the task exists and waits."""
        return all(isinstance(event, Status) and event.status == "PENDING" for event in self.events)


class PartRefused(Exception):
    """The part is refused, alone. ``errors`` maps fields to messages. ``cancelled``: because a user has cancelled the
    task."""

    def __init__(
        self,
        status: int,
        title: str,
        errors: Mapping[str, list[str]] | None = None,
        cancelled: bool = False,
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.errors, self.cancelled = status, title, errors, cancelled

    def row(self, task_id: str | None) -> dict[str, Any]:
        row = {"task_id": task_id, "status": self.status, "title": self.title}
        return row | ({"errors": dict(self.errors)} if self.errors else {})


def params_of(part: Part) -> dict[str, Any]:
    """Returns the parameters without what its name says is secret, or a marker when they are too large."""
    raw = bytes(part.params)
    found: dict[str, Any] = orjson.loads(raw) or {}
    size = len(raw) if len(raw) <= PARAMS_LIMIT else len(orjson.dumps(found))
    if size > PARAMS_LIMIT:
        return {"truncated": True, "bytes": size}
    shown: dict[str, Any] = without_secrets(found)
    return scrub(shown) if b"\\u0000" in raw else shown


def name_of(text: str | None, longest: int = LONGEST_NAME) -> str | None:
    """Returns a name that fits into one line of a page; None for none."""
    if text is None:
        return None
    shown = clean(text[:longest])
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else " " for c in shown)
    return shown.strip() or None
