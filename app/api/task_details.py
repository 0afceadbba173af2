"""Details of a task beside its snapshot: throughput, number of viewers, approvals, and its owner's name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from app.auth import accounts, permissions
from app.auth.principal import Principal
from app.http.base import Blueprint, reading
from app.realtime.presence import Presence
from app.services import services
from app.stream.event import task_stream
from app.tasks.approvals import list_approvals
from app.tasks.snapshot import throughput as throughput_of

blp = Blueprint("task_details", __name__, description="Tasks")


class Throughput(ma.Schema):
    points = ma.fields.List(
        ma.fields.List(ma.fields.Raw(metadata={"type": ["integer", "string"]})),
        metadata={"description": "[sequence, timestamp] of evenly spaced events, oldest first"},
    )


class Viewers(ma.Schema):
    viewers = ma.fields.Integer()


class TaskOwner(ma.Schema):
    owner = ma.fields.String(
        allow_none=True,
        metadata={"description": "The e-mail address of the account; null where the caller may not know it"},
    )


class ApprovalRow(ma.Schema):
    key = ma.fields.String()
    title = ma.fields.String()
    risk_level = ma.fields.String()
    estimated_cost = ma.fields.Float()
    asked_at = ma.fields.String()
    decided_at = ma.fields.String(allow_none=True)
    approved = ma.fields.Boolean(allow_none=True)
    decided_by = ma.fields.String(allow_none=True)


class Approvals(ma.Schema):
    approvals = ma.fields.List(ma.fields.Nested(ApprovalRow))


@blp.get("/tasks/<uuid:task_id>/throughput")
@reading
@blp.response(200, Throughput)
def throughput(principal: Principal, task_id: UUID) -> dict[str, Any]:
    """Returns times of 120 events at most; their sequences give the number of events between them."""
    return {"points": throughput_of(services().read, permissions.readable_task(principal, str(task_id)))}


@blp.get("/tasks/<uuid:task_id>/viewers")
@reading
@blp.response(200, Viewers)
def viewers(principal: Principal, task_id: UUID) -> dict[str, Any]:
    """Returns the number of viewers, by SSE and Socket.IO, in all web processes; those of others are a second old."""
    stream = task_stream(permissions.readable_task(principal, str(task_id)))
    return {"viewers": services()[Presence].count([stream])[stream]}


@blp.get("/tasks/<uuid:task_id>/approvals")
@reading
@blp.response(200, Approvals)
def approvals(principal: Principal, task_id: UUID) -> dict[str, Any]:
    """Returns the approvals that the task asked for, oldest first, and the decisions."""
    name = permissions.readable_task(principal, str(task_id))
    with services().read() as conn, conn.cursor() as cur:
        return {"approvals": list_approvals(cur, name)}


@blp.get("/tasks/<uuid:task_id>/owner")
@reading
@blp.response(200, TaskOwner)
def owner(principal: Principal, task_id: UUID) -> dict[str, str | None]:
    """Returns who owns the task, where that is the caller or an account of its tenant; a global admin knows all."""
    user_id = permissions.owner_of(principal, str(task_id))
    with services().read() as conn, conn.cursor() as cur:
        return {"owner": accounts.name_for(cur, principal, user_id)}
