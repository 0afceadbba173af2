"""Starting a task, and finding the caller's newest unfinished task."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from app.api import limits
from app.api.idempotency import KeyHeaders, key_of
from app.api.starting import INTENT, accepted, declared_type, new_task, origin_of
from app.api.tasks import Snapshot, Started
from app.auth.principal import Principal
from app.http.base import Blueprint, reading, starting
from app.services import services
from app.stream.event import scrub
from app.tasks import approvals
from app.tasks.approvals import ApprovalRequest, ApprovalSchema
from app.tasks.below import NOTHING, numbers_below
from app.tasks.listing import active_task
from app.tasks.snapshot import snapshot

blp = Blueprint("agent", __name__, description="Starting tasks")


class Start(ma.Schema):
    job_type = ma.fields.String(required=True, validate=ma.validate.Length(1, 64))
    params = ma.fields.Dict()
    preferences = ma.fields.Dict(metadata={"description": "Another word for params"})
    title = ma.fields.String(validate=ma.validate.Length(1, 255))
    intent = ma.fields.String(load_default=INTENT, validate=ma.validate.Length(1, 64))
    again_of = ma.fields.UUID(
        metadata={"description": "The task with whose parameters, perhaps changed, this one is started"}
    )

    approval = ma.fields.Nested(
        ApprovalSchema, metadata={"description": "The task waits for this approval before it runs"}
    )

    @ma.validates_schema
    def one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if "params" in data and "preferences" in data:
            raise ma.ValidationError("Send params or preferences, not both.", "preferences")


class ActiveSnapshot(Snapshot):
    waiting_below = ma.fields.Integer(
        metadata={"description": "How many of the first 100 tasks below it wait for approval"}
    )


class Active(ma.Schema):
    active = ma.fields.Nested(ActiveSnapshot, allow_none=True)


@blp.post("/agent/start")
@starting
@limits.starts
@blp.arguments(KeyHeaders, location="headers")
@blp.arguments(Start)
@blp.alt_response(202, schema=Started)
def start(principal: Principal, headers: dict[str, str], body: dict[str, Any]) -> Response:
    """Starts a task. The response comes after the task is durable and the broker has its message."""
    asked = body.get("approval")
    approval = ApprovalRequest(approvals.START, scrub(asked.pop("title")), **asked) if asked else None
    params = body.get("params", body.get("preferences", {}))
    task_id = new_task(
        principal,
        declared_type(body["job_type"]),
        params,
        title=body.get("title"),
        intent=body["intent"],
        approval=approval,
        origin=origin_of(principal, body.get("again_of"), body["job_type"], params),
        key=key_of(principal, headers, whole=False),
    )
    return accepted(task_id, approval is not None)


@blp.get("/agent/active")
@reading
@blp.response(200, Active)
def active(principal: Principal) -> dict[str, Any]:
    """Returns the caller's newest unfinished task that is not a step of another."""
    with services().read() as conn, conn.cursor() as cur:
        task_id = active_task(cur, principal.user_id)
        below = numbers_below(cur, [task_id] if task_id else [], {"user_id": principal.user_id})
    found = snapshot(services().read, task_id) if task_id else None
    return {"active": found and found | {"waiting_below": below.get(str(task_id), NOTHING).waiting}}
