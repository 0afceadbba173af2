"""Pausing queues and draining workers. Operators do it; every claim obeys."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.api import limits
from app.api.fleet import Hold, shown_hold
from app.auth import permissions, trail
from app.auth.principal import Principal
from app.errors import Conflict, NotFound
from app.http.base import Blueprint, permitted
from app.jobs.catalog import Catalog
from app.services import services
from app.tasks import holds
from app.tasks.holds import Kind
from app.tasks.observed.own import owners_of

blp = Blueprint("holds", __name__, description="Pausing queues and draining workers")
operating = permitted("act", permissions.may_operate)


class PausedQueue(ma.Schema):
    name = ma.fields.String()
    paused = ma.fields.Nested(Hold)


class DrainedWorker(ma.Schema):
    name = ma.fields.String()
    drained = ma.fields.Nested(Hold)


@blp.put("/queues/<path:name>/pause")
@operating
@limits.changes
@blp.response(200, PausedQueue)
def pause(principal: Principal, name: str) -> dict[str, Any]:
    """Pauses a queue of Taskroom's: no worker claims a task of it. What runs goes on, and what waits keeps its place.
    Of a queue that is paused it changes nothing. 409 for a queue of a project that reports."""
    _require_own(principal, "queue", name)
    return {"name": name, "paused": _hold(principal, "queue", name, "pause")}


@blp.delete("/queues/<path:name>/pause")
@operating
@limits.changes
@blp.response(204)
def resume(principal: Principal, name: str) -> None:
    """Lets a paused queue go on; of one that is not paused it changes nothing."""
    _require_own(principal, "queue", name)
    types = [job_type for job_type, queue in services()[Catalog].queues().items() if queue == name]
    with services().transaction() as tx:
        if holds.release_queue(tx, name, types):
            trail.record(tx.cur, principal, "resume", "queue", name, title=name)


@blp.put("/workers/<path:name>/drain")
@operating
@limits.changes
@blp.response(200, DrainedWorker)
def drain(principal: Principal, name: str) -> dict[str, Any]:
    """Drains a worker of Taskroom's: it claims no further task, also after a restart under the same name, and ends
    those that it runs. Of a drained worker it changes nothing. 409 for a worker of a project that reports."""
    _require_own(principal, "worker", name)
    return {"name": name, "drained": _hold(principal, "worker", name, "drain")}


@blp.delete("/workers/<path:name>/drain")
@operating
@limits.changes
@blp.response(204)
def undrain(principal: Principal, name: str) -> None:
    """Lets a drained worker claim again; of one that is not drained it changes nothing."""
    _require_own(principal, "worker", name)
    with services().transaction() as tx:
        if holds.release_worker(tx.cur, name):
            trail.record(tx.cur, principal, "undrain", "worker", name, title=name)


def _hold(principal: Principal, kind: Kind, name: str, action: str) -> dict[str, Any] | None:
    with services().transaction() as tx:
        hold, is_new = holds.hold(tx.cur, kind, name, principal.user_id, principal.email)
        if is_new:
            trail.record(tx.cur, principal, action, kind, name, title=name)
    return shown_hold(principal, hold)


def _require_own(principal: Principal, kind: Kind, name: str) -> None:
    """Raises NotFound for what the caller does not see, Conflict for what is not ours."""
    if kind == "queue" and name in {*services().config.celery_queues, *services()[Catalog].queues().values()}:
        return
    with services().read() as conn, conn.cursor() as cur:
        owners = owners_of(cur, kind, name, permissions.visible(principal))
    if not owners:
        raise NotFound(f"There is no such {kind}")
    if True not in owners:
        raise Conflict(
            f"This {kind} belongs to a project that only reports here: only its own tools can hold it"
        )
