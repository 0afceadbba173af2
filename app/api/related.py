"""The runs beside a run: earlier ones of its job type, and those that were started again from it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from app.auth import permissions
from app.auth.principal import Principal
from app.http.base import Blueprint, reading
from app.services import services
from app.tasks import related

blp = Blueprint("related", __name__, description="Tasks")


class RelatedRun(ma.Schema):
    task_id = ma.fields.String()
    title = ma.fields.String()
    status = ma.fields.String()
    created_at = ma.fields.String()
    started_at = ma.fields.String(allow_none=True)
    finished_at = ma.fields.String(allow_none=True)
    retry_of = ma.fields.String(allow_none=True)
    again_of = ma.fields.String(allow_none=True)


class RelatedRuns(ma.Schema):
    runs = ma.fields.List(ma.fields.Nested(RelatedRun))


@blp.get("/tasks/<uuid:task_id>/earlier")
@reading
@blp.response(200, RelatedRuns)
def earlier(principal: Principal, task_id: UUID) -> dict[str, Any]:
    """Returns the task and 23 runs of its job type before it, newest first, and the last one that succeeded where that
    is older: those of its tenant where the caller reads them, else its owner's."""
    name, whose = permissions.history_of(principal, str(task_id))
    with services().read() as conn, conn.cursor() as cur:
        return {"runs": related.earlier(cur, name, whose)}


@blp.get("/tasks/<uuid:task_id>/again")
@reading
@blp.response(200, RelatedRuns)
def again(principal: Principal, task_id: UUID) -> dict[str, Any]:
    """Returns the newest 20 runs that were started again from this one: its retries, and those that were started with
    its parameters, changed. Only those that the caller may read."""
    name = permissions.readable_task(principal, str(task_id))
    with services().read() as conn, conn.cursor() as cur:
        return {"runs": related.started_again(cur, name, permissions.visible(principal))}
