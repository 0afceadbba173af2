"""Tasks: snapshot, events, cancel and approval."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, make_response

from app.auth import permissions, trail
from app.auth.principal import Principal
from app.errors import NotFound
from app.http.base import (
    Blueprint,
    SequenceField,
    WholeField,
    acting,
    reading_shared,
    require_head,
    with_next,
)
from app.services import services
from app.stream.event import Event, clean, task_stream
from app.stream.pages import bounded
from app.stream.resync import Resync
from app.tasks import lifecycle
from app.tasks.fold import TASK_FIELDS
from app.tasks.observed import cancel as cancelling
from app.tasks.sections import ATTEMPT, GROUP, PHASE
from app.tasks.snapshot import snapshot

blp = Blueprint("tasks", __name__, description="Tasks")

EVENT_PAGE = 1_000
LONGEST_REASON = 500  # characters, of a rejection

# The fields of the fold; docs/protocol.md has the table. Those that are not named here are texts.
_LARGE = {name: ma.fields.Raw(allow_none=True) for name in ("params", "result", "plan", "usual")}
_OTHERS: dict[str, Any] = {
    **{name: ma.fields.Integer() for name in ("retry_count", "attempt", "status_sequence")},
    "error": ma.fields.Raw(allow_none=True),
    "is_running": ma.fields.Boolean(),
    "progress_known": ma.fields.Boolean(allow_none=True),
    "observed": ma.fields.Boolean(metadata={"description": "Others run it and report it"}),
    "can_retry": ma.fields.Boolean(
        allow_none=True, metadata={"description": "Of an observed task: its reporter can start it again"}
    ),
    "progress": ma.fields.Raw(metadata={"type": "number"}),
    "eta_seconds": ma.fields.Raw(allow_none=True, metadata={"type": "number"}),
}
_TEXTS = [name for name in TASK_FIELDS if name not in _OTHERS | _LARGE]
_LISTED = {name: ma.fields.String(allow_none=True) for name in _TEXTS} | _OTHERS
ListedTask = ma.Schema.from_dict(_LISTED, name="ListedTask")
Task = ma.Schema.from_dict(_LISTED | _LARGE, name="Task")


class LogSection(ma.Schema):
    kind = ma.fields.String(metadata={"enum": [ATTEMPT, PHASE, GROUP]})
    name = ma.fields.String()
    group_id = ma.fields.String(allow_none=True)
    first_sequence = ma.fields.Integer()
    last_sequence = ma.fields.Integer(allow_none=True, metadata={"description": "Null while it is open"})
    started_at = ma.fields.String()
    ended_at = ma.fields.String(allow_none=True)


class Snapshot(ma.Schema):
    task = ma.fields.Nested(Task)
    phases = ma.fields.List(ma.fields.Dict())
    sections = ma.fields.List(ma.fields.Nested(LogSection))
    recent_logs = ma.fields.List(ma.fields.Dict())
    celery = ma.fields.Dict()
    approval = ma.fields.Dict(allow_none=True, metadata={"description": "What the task waits for"})
    sequence = ma.fields.Integer(
        metadata={"description": "The snapshot includes all events to this sequence"}
    )


class EventQuery(ma.Schema):
    since_sequence = SequenceField(load_default=0)
    limit = WholeField(load_default=500, validate=ma.validate.Range(1, EVENT_PAGE))


class EventSchema(ma.Schema):
    sequence = ma.fields.Integer()
    type = ma.fields.String()
    timestamp = ma.fields.String()
    data = ma.fields.Dict()


class EventPage(ma.Schema):
    events = ma.fields.List(ma.fields.Nested(EventSchema))
    next_sequence = ma.fields.Integer()
    has_more = ma.fields.Boolean()
    resync = ma.fields.Dict(metadata={"description": "Present when the cursor cannot be answered exactly"})


class Accepted(ma.Schema):
    task_id = ma.fields.String()
    status = ma.fields.String()


class Rejection(ma.Schema):
    reason = ma.fields.String(load_default="", validate=ma.validate.Length(max=LONGEST_REASON))


class Started(Accepted):
    sequence = ma.fields.Integer()


@blp.get("/tasks/<uuid:task_id>/status")
@reading_shared
@blp.response(200, Snapshot)
def status(principal: Principal, task_id: UUID) -> dict[str, Any]:
    """Returns the snapshot. A client that joins the room with its ``sequence`` misses and repeats no event."""
    found = snapshot(services().read, permissions.readable_task(principal, str(task_id)))
    if found is None:
        raise NotFound("There is no such task")
    return found


@blp.get("/tasks/<uuid:task_id>/events")
@reading_shared
@blp.arguments(EventQuery, location="query")
@blp.alt_response(200, schema=EventPage)
def events(principal: Principal, query: dict[str, Any], task_id: UUID) -> Any:
    """Returns the events after the cursor, oldest first."""
    stream = task_stream(permissions.readable_task(principal, str(task_id)))
    cursor, head = query["since_sequence"], require_head(stream)
    body: dict[str, Any] = {}
    if resync := Resync.of(stream, cursor, head.pruned_to, head.last_seq):
        body["resync"], cursor = resync.message(), resync.cursor
    found = bounded(services().store.after(stream, cursor, query["limit"]), lambda event: len(event.payload))
    position = found[-1].sequence if found else cursor
    more = position < head.last_seq
    body |= {"events": [_event(event) for event in found], "next_sequence": position, "has_more": more}
    return with_next(body, {"since_sequence": position} if more else None)


def _event(event: Event) -> dict[str, Any]:
    data = event.decoded()
    return {"sequence": event.sequence, "type": event.type, "timestamp": data["timestamp"], "data": data}


@blp.post("/tasks/<uuid:task_id>/cancel")
@acting
@blp.alt_response(202, schema=Accepted)
def cancel(principal: Principal, task_id: UUID) -> Response:
    """Cancels a task and those below it: a waiting task ends at once, a running one at its next report. 409 when it
    has ended."""
    name, _ = permissions.changeable_task(principal, str(task_id))
    with services().transaction() as tx:
        goes_on = cancelling.cancel(tx, name, principal.email)
        trail.record(tx.cur, principal, "cancel", "task", name)
    while goes_on:
        with services().transaction() as tx:
            goes_on = cancelling.cancel_below(tx, name, principal.email)
    return _state_of(name, snapshot(services().read, name))


@blp.post("/tasks/<uuid:task_id>/approve")
@acting
@blp.alt_response(202, schema=Accepted)
def approve(principal: Principal, task_id: UUID) -> Response:
    """Approves a task that waits for approval. 409 when it does not wait: of two decisions the first counts."""
    return _decide(principal, task_id, approved=True)


@blp.post("/tasks/<uuid:task_id>/reject")
@acting
@blp.arguments(Rejection, required=False)
@blp.alt_response(202, schema=Accepted)
def reject(principal: Principal, body: dict[str, Any], task_id: UUID) -> Response:
    """Ends a task that waits for approval; its error has the reason. 409 when it does not wait."""
    return _decide(principal, task_id, approved=False, reason=clean(body["reason"]).strip())


def _decide(principal: Principal, task_id: UUID, approved: bool, reason: str = "") -> Response:
    name, _ = permissions.changeable_task(principal, str(task_id))
    with services().transaction() as tx:
        lifecycle.decide_approval(tx, name, approved, principal.email, principal.user_id, reason)
        trail.record(tx.cur, principal, "approve" if approved else "reject", "task", name, note=reason)
    return _state_of(name, snapshot(services().read, name))


def _state_of(task_id: str, found: dict[str, Any] | None) -> Response:
    return make_response({"task_id": task_id, "status": found["task"]["status"] if found else None}, 202)
