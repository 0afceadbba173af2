"""Retries of tasks: a new task, or a request to the reporter of an observed one."""

from __future__ import annotations

from uuid import UUID

import marshmallow as ma
from flask import Response, make_response, url_for

from app.api import limits
from app.api.idempotency import KeyHeaders, KeyResult, Remember, key_of, run_once
from app.api.starting import accepted, send_first
from app.api.tasks import Started
from app.auth import permissions, trail
from app.auth.principal import Principal
from app.http.base import Blueprint, acting
from app.jobs import ORCHESTRATE
from app.services import services
from app.tasks import retries
from app.tasks.fold import PENDING, TERMINAL, WAITING
from app.tasks.snapshot import snapshot

blp = Blueprint("retries", __name__, description="Tasks")


class StartedAgain(Started):
    retry_of = ma.fields.String(
        metadata={"description": "Of an observed task: what the new one will be a retry of, its last run"}
    )


@blp.post("/tasks/<uuid:task_id>/retry")
@acting
@limits.starts
@blp.arguments(KeyHeaders, location="headers")
@blp.alt_response(202, schema=StartedAgain)
def retry(principal: Principal, headers: dict[str, str], task_id: UUID) -> Response:
    """Starts a new task with the same owner and parameters, whose ``retry_of`` is this task. 409 until this task and
    its other retries have ended. An observed task is started by its reporter, which is asked to, if it can: then
    `task_id` is the ended task, and the new one will have the `retry_of` that the response names."""
    name, _ = permissions.changeable_task(principal, str(task_id))
    key = key_of(principal, headers)

    def make(remember: Remember) -> Response:
        found = snapshot(services().read, name)
        old = found["task"] if found else {}
        retries.may_retry(old)
        if old["observed"]:
            with services().transaction() as tx:
                last, status = retries.ask_reporter(tx, name)
                trail.record(tx.cur, principal, "retry", "task", last, note="its reporter was asked")
                remember(tx.cur, last, status)
            return _asked(name, last)
        if old["job_type"] == ORCHESTRATE:
            limits.steps(old["params"])
        with services().transaction() as tx:
            made = retries.retry(tx, old, services().config.daily_budget)
            trail.record(tx.cur, principal, "retry", "task", name, note=f"run {made.task_id}")
            remember(tx.cur, made.task_id, WAITING if made.waits else PENDING)
        if not made.waits:
            send_first(made.task_id, made.job_type)
        return accepted(made.task_id, made.waits)

    def replay(result: KeyResult) -> Response:
        if result.note in TERMINAL:
            return _asked(name, str(result.task_id))
        return accepted(str(result.task_id), result.note == WAITING)

    return run_once(key, make, replay)


def _asked(name: str, last: str) -> Response:
    """Returns 202 for a task whose reporter is asked to start it again. It stays as it is; a new one will come, as a
    retry of ``last``."""
    found = snapshot(services().read, name)
    status = found["task"]["status"] if found else None
    body = {"task_id": name, "status": status, "sequence": found["sequence"] if found else None}
    body["retry_of"] = last
    return make_response(body, 202, {"Location": url_for("tasks.status", task_id=name)})
