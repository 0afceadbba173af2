"""What works where: workers, queues and schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import marshmallow as ma

from app.api.cursors import PageQuery, page_response, position_of
from app.auth import permissions
from app.auth.principal import Principal
from app.db.texts import stored_text
from app.http.base import Blueprint, reading
from app.services import services
from app.tasks.holds import Hold as StoredHold
from app.tasks.observed.fleet_list import FleetPage, list_queues, list_schedules, list_workers

blp = Blueprint("fleet", __name__, description="Workers and queues")


class FleetQuery(PageQuery):
    cursor = ma.fields.String(validate=ma.validate.Length(1, 4_500))


class Hold(ma.Schema):
    by = ma.fields.String(
        allow_none=True, metadata={"description": "Null for an account of another tenant than the caller's"}
    )
    since = ma.fields.String()


class FleetTask(ma.Schema):
    task_id = ma.fields.String()
    title = ma.fields.String()
    job_type = ma.fields.String()


class RunningTask(FleetTask):
    started_at = ma.fields.String(allow_none=True)


class LostTask(FleetTask):
    status = ma.fields.String(metadata={"description": "As it is now: it may run again"})
    lost_at = ma.fields.String()


class Reported(ma.Schema):
    """What workers, queues and schedules have alike."""

    name = ma.fields.String()
    own = ma.fields.Boolean(metadata={"description": "Taskroom's own, not that of a project that reports"})
    reporter = ma.fields.String(
        allow_none=True, metadata={"description": "The name of the API key that reports it; null for none"}
    )
    beat_seconds = ma.fields.Float(metadata={"description": "How often it is reported"})
    seen_at = ma.fields.String()
    alive = ma.fields.Boolean(
        metadata={"description": "Reported within 30 s, or three beats when these are longer"}
    )


class Queue(Reported):
    depth = ma.fields.Integer(
        metadata={
            "description": "Tasks that wait: those in the broker, or `known_waiting` when these are more"
        }
    )
    known_waiting = ma.fields.Integer(
        metadata={
            "description": "Reported tasks that wait, also those that a worker has taken and not begun; 1,000 for more."
            " `depth` is old where it is 0 and the queue is not `alive`"
        }
    )
    oldest_wait_seconds = ma.fields.Float(allow_none=True)
    consumers = ma.fields.Integer(metadata={"description": "Workers that are alive and may take its tasks"})
    workers = ma.fields.List(ma.fields.String(), metadata={"description": "Their names, the first ones"})
    no_worker_since = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "When its last worker was heard; null while one is alive, and for none of the last day"
        },
    )
    slots = ma.fields.Integer(metadata={"description": "How many tasks they run at once"})
    busy = ma.fields.Integer(metadata={"description": "How many they run now, of all queues"})
    paused = ma.fields.Nested(Hold, allow_none=True)


class WorkerSchema(Reported):
    host = ma.fields.String(allow_none=True)
    pid = ma.fields.Integer(allow_none=True)
    pool = ma.fields.String(allow_none=True)
    slots = ma.fields.Integer(allow_none=True)
    queues = ma.fields.List(ma.fields.String())
    memory_bytes = ma.fields.Integer(allow_none=True)
    versions = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    running = ma.fields.List(ma.fields.String(), metadata={"description": "Tasks that the caller may read"})
    busy = ma.fields.Integer(
        metadata={
            "description": "How many tasks it runs, whoever may read them; of one that is not `alive`, how many it ran"
            " that have not ended and are not lost yet"
        }
    )
    tasks = ma.fields.List(
        ma.fields.Nested(RunningTask), metadata={"description": "What the first of `running` are"}
    )
    lost = ma.fields.List(
        ma.fields.Nested(LostTask),
        metadata={
            "description": "Tasks whose attempt was lost with it or one of its processes, the newest of a day"
        },
    )
    drained = ma.fields.Nested(Hold, allow_none=True)
    since = ma.fields.String(metadata={"description": "When it was seen first since its start"})


class Schedule(Reported):
    job_type = ma.fields.String(metadata={"description": "The task that is sent"})
    schedule = ma.fields.String(metadata={"description": "When: `every 5 min`, or the fields of cron"})
    last_run_at = ma.fields.String(allow_none=True)
    last_task_id = ma.fields.String(
        allow_none=True, metadata={"description": "The run that was sent last, where the caller may read it"}
    )
    last_status = ma.fields.String(
        allow_none=True, metadata={"description": "Of that run; null while nothing is known of it"}
    )
    last_error = ma.fields.String(
        allow_none=True, metadata={"description": "Why it failed, or why it could not be sent"}
    )
    next_run_at = ma.fields.String(
        allow_none=True,
        metadata={"description": "In the past: it is overdue, and beat has stopped or is late"},
    )


class SchedulePage(ma.Schema):
    schedules = ma.fields.List(ma.fields.Nested(Schedule))
    next = ma.fields.String(allow_none=True)


class WorkerPage(ma.Schema):
    workers = ma.fields.List(ma.fields.Nested(WorkerSchema))
    next = ma.fields.String(allow_none=True)


class QueuePage(ma.Schema):
    queues = ma.fields.List(ma.fields.Nested(Queue))
    next = ma.fields.String(allow_none=True)


@blp.get("/workers")
@reading
@blp.arguments(FleetQuery, location="query")
@blp.response(200, WorkerPage)
def workers(principal: Principal, query: dict[str, Any]) -> Any:
    """Returns the workers by name: Taskroom's own, those that the caller's keys report, and those of its tenant."""
    return _page("workers", list_workers, principal, query)


@blp.get("/queues")
@reading
@blp.arguments(FleetQuery, location="query")
@blp.response(200, QueuePage)
def queues(principal: Principal, query: dict[str, Any]) -> Any:
    """Returns the queues by name, as `workers` does."""
    return _page("queues", list_queues, principal, query)


@blp.get("/schedules")
@reading
@blp.arguments(FleetQuery, location="query")
@blp.response(200, SchedulePage)
def schedules(principal: Principal, query: dict[str, Any]) -> Any:
    """Returns what beats run, when, and how the last run ended, as `workers` does."""
    return _page("schedules", list_schedules, principal, query)


def _page(
    name: str,
    read: Callable[..., FleetPage],
    principal: Principal,
    query: dict[str, Any],
) -> Any:
    before = position_of(query, stored_text, UUID)
    with services().read() as conn, conn.cursor() as cur:
        page = read(cur, permissions.visible(principal), before, query["limit"])
    for row in page.rows:
        for kind in row.keys() & {"paused", "drained"}:
            row[kind] = shown_hold(principal, row[kind])
    return page_response(name, page.rows, page.next)


def shown_hold(principal: Principal, hold: StoredHold | None) -> dict[str, Any] | None:
    """Returns the hold as the caller may see it: without the name of an account of another tenant."""
    if hold is None:
        return None
    named = principal.is_global or hold.tenant == principal.tenant
    return {"by": hold.by if named else None, "since": hold.since}
