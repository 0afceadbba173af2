"""Observed tasks: others run them and report them here, many in one batch."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid5

import marshmallow as ma
from flask import Response, make_response, request

from app.api.reported_batch import decode
from app.api.reporting import reporting
from app.auth import permissions
from app.auth.principal import Principal
from app.http.base import Blueprint
from app.http.compressed import json_bytes
from app.http.problems import CONTENT_TYPE, ProblemSchema
from app.services import services
from app.tasks.observed.batch import ObservedBatch, store_batch
from app.tasks.observed.lookups import Lookups
from app.tasks.observed.reporter import Reporter

blp = Blueprint("events", __name__, description="Observed tasks")

BATCH_BYTES = 2_000_000  # inflated


def body() -> bytes:
    return json_bytes(BATCH_BYTES)


class ReportedRow(ma.Schema):
    task_id = ma.fields.String()
    sequence = ma.fields.Integer(metadata={"description": "The last of the task's events"})
    id = ma.fields.String(metadata={"description": "As it was given, where that is not the task's id"})
    url = ma.fields.String(
        metadata={
            "description": "The page of a task that the batch has made, or is the first to name as its own"
        }
    )
    retry_of = ma.fields.String(
        metadata={"description": "The ended task that this attempt would have been of"}
    )
    warnings = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.List(ma.fields.String()),
        metadata={"description": "Fields of a wrong kind, and unknown ones: what became of each"},
    )


class RefusedRow(ma.Schema):
    task_id = ma.fields.String(allow_none=True, metadata={"description": "As it was given"})
    status = ma.fields.Integer()
    title = ma.fields.String()
    errors = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.List(ma.fields.String()))


class NotStored(ma.Schema):
    workers = ma.fields.List(ma.fields.String())
    queues = ma.fields.List(ma.fields.String())
    schedules = ma.fields.List(ma.fields.String())


class BatchAnswer(ma.Schema):
    tasks = ma.fields.List(ma.fields.Nested(ReportedRow))
    refused = ma.fields.List(ma.fields.Nested(RefusedRow))
    cancel = ma.fields.List(
        ma.fields.String(),
        metadata={"description": "Tasks that are to stop, or not to begin, as the batch names them"},
    )
    resend = ma.fields.List(
        ma.fields.String(), metadata={"description": "Tasks that are to be started again, as they were named"}
    )
    next_batch = ma.fields.Integer()
    not_stored = ma.fields.Nested(
        NotStored,
        metadata={"description": "The names of what there is no room for; not there without any"},
    )


class BatchProblem(ProblemSchema):
    next_batch = ma.fields.Integer(metadata={"description": "The number that the writer comes to next"})


@blp.post("/events")
@reporting(permissions.may_report_new, body)
@blp.doc(
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ReportedEnvelope"}}},
    }
)
@blp.alt_response(202, schema=BatchAnswer)
@blp.alt_response(409, schema=BatchProblem, content_type=CONTENT_TYPE)
def report(principal: Principal) -> Response:
    """Stores a batch of tasks that others run, once, however often it is sent. A task is made when it is first heard
    of. A part that is refused leaves the others as they are. The body may be gzip."""
    data = body()
    envelope, parts = decode(data)
    key = principal.key_id or principal.user_id
    batch = ObservedBatch(
        Reporter(principal.user_id, principal.email, principal.tenant, key, principal.is_global),
        str(uuid5(UUID(key), envelope.writer)),  # names of different reporters cannot collide
        envelope.batch,
        hashlib.sha256(data).hexdigest(),
        parts,
        envelope.workers,
        envelope.queues,
        envelope.schedules,
        request.host_url.rstrip("/"),
    )
    with services().transaction() as tx:
        answer = store_batch(tx, batch, services()[Lookups], services().config.lease_round_seconds)
    return make_response(answer, 202)
