"""Events of workers that are not Celery workers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

import marshmallow as ma
import orjson
from flask import Response, make_response
from msgspec import Raw

from app.api.reporting import reporting
from app.auth import permissions
from app.auth.principal import Principal
from app.errors import Unprocessable
from app.errors.frames import drop_frames
from app.http.base import Blueprint, ListField, TimeField, WholeField, refuse_many_fields
from app.http.problems import MOST_ERRORS
from app.http.problems import fields as named
from app.jobs.catalog import Catalog
from app.services import services
from app.stream.event import LEVELS
from app.stream.store import BATCH_EVENTS
from app.tasks import external_batches
from app.tasks.fold import FAILURE, PHASE_STATUSES, REVOKED, STARTED, SUCCESS, TERMINAL
from app.tasks.reported import Error, Group, Line, PhaseComplete, PhaseUpdate, ReportedEvent, Source, Status
from app.tasks.reported_drafts import LARGEST
from app.tasks.reports import SOURCE_LINES
from app.tasks.sections import GROUP_STATUSES

blp = Blueprint("external", __name__, description="Workers of other kinds")

CHECKED_AT_ONCE = 50  # events; then the event loop runs other greenlets


def _count() -> WholeField:
    return WholeField(strict=True, load_default=None, allow_none=True, validate=ma.validate.Range(0, LARGEST))


def _seconds(**how: Any) -> ma.fields.Float:
    return ma.fields.Float(allow_none=True, validate=ma.validate.Range(0, LARGEST), **how)


class WorkerEventSchema(ma.Schema):
    type = ma.fields.String(required=True)
    timestamp = TimeField()


class LogSchema(WorkerEventSchema):
    level = ma.fields.String(load_default="INFO", validate=ma.validate.OneOf(tuple(LEVELS)))
    message = ma.fields.String(required=True)
    component = ma.fields.String(load_default=None, allow_none=True)
    phase = ma.fields.String(load_default=None, allow_none=True)
    item_error = ma.fields.Boolean(load_default=False)


class PhaseSchema(WorkerEventSchema):
    phase_id = ma.fields.String(required=True)
    processed_count = _count()
    total_count = _count()
    error_count = _count()


class PhaseUpdateSchema(PhaseSchema):
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(PHASE_STATUSES))
    message = ma.fields.String(load_default="")
    eta_seconds = _seconds(load_default=None)


class PhaseCompleteSchema(PhaseSchema):
    duration_seconds = _seconds(load_default=None)


class GroupSchema(WorkerEventSchema):
    group_id = ma.fields.String(required=True, validate=ma.validate.Length(1, 128))
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(GROUP_STATUSES))
    name = ma.fields.String(load_default=None, allow_none=True)
    phase = ma.fields.String(load_default=None, allow_none=True)


class SourceSchema(ma.Schema):
    file = ma.fields.String(required=True)
    line = WholeField(required=True, strict=True, validate=ma.validate.Range(1, LARGEST))
    function = ma.fields.String(load_default=None, allow_none=True)
    first_line = WholeField(load_default=1, strict=True, validate=ma.validate.Range(1, LARGEST))
    lines = ListField(ma.fields.String(), 0, SOURCE_LINES, load_default=())


class ErrorSchema(ma.Schema):
    type = ma.fields.String(required=True, validate=ma.validate.Length(1, 128))
    message = ma.fields.String(required=True, validate=ma.validate.Length(1))
    traceback = ma.fields.String(load_default=None, allow_none=True)
    phase = ma.fields.String(allow_none=True)
    source = ma.fields.Nested(SourceSchema, load_default=None, allow_none=True)


class StatusSchema(WorkerEventSchema):
    status = ma.fields.String(required=True, validate=ma.validate.OneOf((STARTED, SUCCESS, FAILURE, REVOKED)))
    current_phase = ma.fields.String(allow_none=True)
    current_phase_message = ma.fields.String(allow_none=True)
    progress = ma.fields.Float(validate=ma.validate.Range(0, 100))
    eta_seconds = _seconds()
    result = ma.fields.Raw(allow_none=True)
    error = ma.fields.Nested(ErrorSchema)
    execution_time_ms = ma.fields.Float(validate=ma.validate.Range(0, LARGEST))


EVENTS: Mapping[str, tuple[ma.Schema, type[ReportedEvent]]] = {
    "log": (LogSchema(), Line),
    "phase_update": (PhaseUpdateSchema(), PhaseUpdate),
    "phase_complete": (PhaseCompleteSchema(), PhaseComplete),
    "log_group": (GroupSchema(), Group),
    "task_status": (StatusSchema(), Status),
}


class BatchSchema(ma.Schema):
    writer = ma.fields.String(
        required=True,
        validate=ma.validate.Length(1, 128),
        metadata={"description": "The name of the sender that numbers these batches, such as a UUID"},
    )
    batch = WholeField(
        required=True,
        strict=True,
        validate=ma.validate.Range(1, LARGEST),
        metadata={"description": "1, 2, 3 …: the same number again is a repeat"},
    )
    attempt = WholeField(required=True, strict=True, validate=ma.validate.Range(1, 2**31 - 1))
    events = ListField(
        ma.fields.Dict(),
        0,
        BATCH_EVENTS,
        required=True,
        metadata={
            "description": "Each a `type` (log, phase_update, phase_complete, log_group, task_status) and its fields"
        },
    )


class Stored(ma.Schema):
    task_id = ma.fields.String()
    sequences = ma.fields.List(ma.fields.Integer(), metadata={"description": "One for each event"})
    cancel_requested = ma.fields.Boolean(metadata={"description": "The worker must stop, and report REVOKED"})
    claim = ma.fields.Dict(metadata={"description": "The work, when the batch claimed the attempt"})


@blp.post("/tasks/<uuid:task_id>/events")
@reporting(permissions.reportable_task)
@blp.arguments(BatchSchema)
@blp.alt_response(202, schema=Stored)
def report(principal: Principal, body: dict[str, Any], task_id: UUID) -> Response:
    """Stores a batch of events once, however often it is sent, and renews the lease. A first event `task_status`
    STARTED claims an attempt that waits; SUCCESS, FAILURE or REVOKED as the last one ends it."""
    name = str(task_id)
    content = [name, body["attempt"], body["events"]]
    batch = external_batches.ExternalBatch(
        name,
        body["attempt"],
        str(uuid5(UUID(principal.user_id), body["writer"])),  # names of different users cannot collide
        body["batch"],
        principal.email,
        hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        _checked(body["events"]),
    )
    jobs = services()[Catalog]
    queues = jobs.queues()  # read before the transaction, which holds a connection
    with services().transaction() as tx:
        stored = external_batches.store_batch(tx, batch, jobs.phases, queues.get)
    return make_response(stored, 202)


def _checked(events: Sequence[dict[str, Any]]) -> list[ReportedEvent]:
    """Returns the loaded events. Raises Unprocessable, naming each wrong field."""
    found: list[ReportedEvent] = []
    errors: dict[str, list[str]] = {}
    for n, event in enumerate(events):
        if len(errors) >= MOST_ERRORS:
            errors = {"events": [f"Events from {n} on were not checked."]} | errors
            break
        if n % CHECKED_AT_ONCE == CHECKED_AT_ONCE - 1:
            time.sleep(0)
        kind = event.get("type")
        if not isinstance(kind, str) or kind not in EVENTS:
            errors[f"events.{n}.type"] = [f"One of: {', '.join(EVENTS)}."]
            continue
        schema, event_class = EVENTS[kind]
        try:
            refuse_many_fields(event, schema)
            loaded = schema.load(event)
        except ma.ValidationError as error:
            errors |= named(error.messages, f"events.{n}")
            drop_frames(error)
            continue
        if loaded.get("status") in TERMINAL and n < len(events) - 1:
            errors[f"events.{n}.status"] = ["No event may follow the end."]
        found.append(_event(event_class, loaded))
    if errors:
        raise Unprocessable("Refused", errors=named(errors))
    return found


def _event(kind: type[ReportedEvent], fields: dict[str, Any]) -> ReportedEvent:
    del fields["type"]
    if "result" in fields:
        fields["result"] = Raw(orjson.dumps(fields["result"]))
    if "error" in fields:
        source = fields["error"].pop("source")
        fields["error"] = Error(**fields["error"], source=source and Source(**source))
    return kind(**fields)
