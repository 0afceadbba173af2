"""Why a run is queued."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from app.api.fleet import Hold, shown_hold
from app.auth import permissions
from app.auth.principal import Principal
from app.config import QUEUE
from app.http.base import Blueprint, reading
from app.jobs.catalog import Catalog
from app.services import services
from app.tasks.queued import REASONS, why_queued
from app.tasks.slots import Cap

blp = Blueprint("queued", __name__, description="Tasks")


class Queued(ma.Schema):
    queue = ma.fields.String()
    reason = ma.fields.String(
        validate=ma.validate.OneOf(REASONS),
        metadata={
            "description": "`later`: the attempt is due later. `paused`, `drained`: an operator stopped the queue, or"
            " all workers of it. `no_worker`: none runs. `taken`: a worker has it and has not begun."
            " `at_cap`: its owner has as many running as one user may."
            " `queued`: others come first, or no slot is free"
        },
    )
    due_at = ma.fields.String(metadata={"description": "Of `later`"})
    hold = ma.fields.Nested(
        Hold, metadata={"description": "Of `paused` and `drained`: by whom and since when"}
    )
    seen_at = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "Of `no_worker`: when one was heard last; null for none of the last day. Of `taken`:"
            " when the worker was"
        },
    )
    worker = ma.fields.String(metadata={"description": "Of `taken`: its name"})
    alive = ma.fields.Boolean(
        metadata={
            "description": "Of `taken`: whether it still reports; else the broker may give the task out again"
        }
    )
    running = ma.fields.Integer(metadata={"description": "Of `at_cap`: tasks of its owner that run"})
    most = ma.fields.Integer(metadata={"description": "Of `at_cap`: how many may"})
    position = ma.fields.Integer(
        allow_none=True,
        metadata={
            "description": "Of `queued`: its place in the order of claims, from 1; null beyond the 100th"
        },
    )
    depth = ma.fields.Integer(
        allow_none=True, metadata={"description": "Of a run that others report: messages in its queue"}
    )
    slots = ma.fields.Integer(metadata={"description": "How many tasks the workers of the queue run at once"})
    busy = ma.fields.Integer(metadata={"description": "How many they run"})


class Answer(ma.Schema):
    queued = ma.fields.Nested(
        Queued, allow_none=True, metadata={"description": "Null for a task that waits for no worker"}
    )


@blp.get("/tasks/<uuid:task_id>/queued")
@reading
@blp.response(200, Answer)
def queued(principal: Principal, task_id: UUID) -> dict[str, Any]:
    """Returns why a task waits for a worker, as it is now: no event tells of its place in the queue."""
    name = permissions.readable_task(principal, str(task_id))
    config, queues = services().config, services()[Catalog].queues()
    cap = Cap.of(config.running_per_user, config.lease_round_seconds)
    with services().read() as conn, conn.cursor() as cur:
        found = why_queued(cur, name, queues, QUEUE, config.celery_queues, cap)
    if found and "hold" in found:
        found["hold"] = shown_hold(principal, found["hold"])
    return {"queued": found}
