"""What a page that watches a task asks for besides its snapshot: how fast it went, who else watches, who decided."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from app.auth import permissions
from app.auth.principal import Principal
from app.http.base import Blueprint, NoQuery, signed_in
from app.realtime.presence import Presence
from app.services import services
from app.stream.event import task_stream
from app.tasks.approvals import list_approvals
from app.tasks.throughput import throughput as throughput_of

blp = Blueprint("task_details", __name__, description="Tasks")


class Throughput(ma.Schema):
    points = ma.fields.List(
        ma.fields.List(ma.fields.Raw(metadata={"type": ["integer", "string"]})),
        metadata={"description": "[sequence, timestamp] of evenly spaced events, oldest first"},
    )


class Viewers(ma.Schema):
    viewers = ma.fields.Integer()


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
@signed_in
@blp.arguments(NoQuery, location="query")
@blp.response(200, Throughput)
def throughput(principal: Principal, query: dict[str, Any], task_id: UUID) -> dict[str, Any]:
    """How fast the task's events came, from 120 of them at most: the sequences tell how many lie between."""
    return {"points": throughput_of(services().read, permissions.readable_task(principal, str(task_id)))}


@blp.get("/tasks/<uuid:task_id>/viewers")
@signed_in
@blp.arguments(NoQuery, location="query")
@blp.response(200, Viewers)
def viewers(principal: Principal, query: dict[str, Any], task_id: UUID) -> dict[str, Any]:
    """How many watch the task now, over SSE and Socket.IO, on all web processes: of the others as of a second ago."""
    stream = task_stream(permissions.readable_task(principal, str(task_id)))
    return {"viewers": services()[Presence].count([stream])[stream]}


@blp.get("/tasks/<uuid:task_id>/approvals")
@signed_in
@blp.arguments(NoQuery, location="query")
@blp.response(200, Approvals)
def approvals(principal: Principal, query: dict[str, Any], task_id: UUID) -> dict[str, Any]:
    """What the task asked for, oldest first, and who said yes or no."""
    name = permissions.readable_task(principal, str(task_id))
    with services().read() as conn, conn.cursor() as cur:
        return {"approvals": list_approvals(cur, name)}
