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
from app.errors import Conflict
from app.http.base import Blueprint, acting
from app.jobs import ORCHESTRATE
from app.services import services
from app.tasks import approvals, lifecycle
from app.tasks.creation import Origin
from app.tasks.fold import PENDING, TERMINAL, WAITING
from app.tasks.observed import resends
from app.tasks.secret_params import params_with_secrets
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
    name, owner_id = permissions.changeable_task(principal, str(task_id))
    key = key_of(principal, headers)

    def make(remember: Remember) -> Response:
        found = snapshot(services().read, name)
        old = found["task"] if found else {}
        if old.get("status") not in TERMINAL:
            raise Conflict(f"The task has not ended: {old.get('status')}; cancel it, or wait for its end")
        if old["observed"]:
            return _ask_reporter(principal, name, remember)
        if old["job_type"] == ORCHESTRATE:
            limits.steps(old["params"])
        with services().transaction() as tx:
            if unfinished := lifecycle.unfinished_retry(tx, name):
                raise Conflict(f"A retry of the task has not ended: {unfinished}; wait for its end")
            limits.budget(tx.cur, owner_id)
            approval = approvals.start_approval(tx.cur, name)
            new_id = lifecycle.create(
                tx,
                user_id=owner_id,
                job_type=old["job_type"],
                title=old["title"],
                intent=old["intent"],
                params=old["params"],
                secret_params=params_with_secrets(tx.cur, old),
                origin=Origin("retry", retry_of=old["task_id"]),
                approval=approval,
            )
            trail.record(tx.cur, principal, "retry", "task", name, note=f"run {new_id}")
            remember(tx.cur, new_id, WAITING if approval else PENDING)
        if approval is None:
            send_first(new_id, old["job_type"])
        return accepted(new_id, approval is not None)

    def replay(result: KeyResult) -> Response:
        if result.note in TERMINAL:
            return _asked(name, str(result.task_id))
        return accepted(str(result.task_id), result.note == WAITING)

    return run_once(key, make, replay)


def _ask_reporter(principal: Principal, name: str, remember: Remember) -> Response:
    with services().transaction() as tx:
        last = resends.last_run(tx.cur, name)
        if unfinished := lifecycle.unfinished_retry(tx, last):
            raise Conflict(f"A retry of the task has not ended: {unfinished}; wait for its end")
        asked = resends.ask(tx.cur, last)
        trail.record(tx.cur, principal, "retry", "task", last, note="its reporter was asked")
        remember(tx.cur, last, asked)
    return _asked(name, last)


def _asked(name: str, last: str) -> Response:
    """Returns 202 for a task whose reporter is asked to start it again. It stays as it is; a new one will come, as a
    retry of ``last``."""
    found = snapshot(services().read, name)
    status = found["task"]["status"] if found else None
    body = {"task_id": name, "status": status, "sequence": found["sequence"] if found else None}
    body["retry_of"] = last
    return make_response(body, 202, {"Location": url_for("tasks.status", task_id=name)})
