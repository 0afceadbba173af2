"""Creates a task for a caller, and sends its first message to the broker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import marshmallow as ma
import orjson
from flask import Response, make_response, url_for

from app.api import limits
from app.api.idempotency import Key, Remember, forget, run_once
from app.auth import permissions
from app.auth.principal import Principal
from app.broker import BrokerDown
from app.errors import NotFound, Unavailable, Unprocessable
from app.http.problems import fields
from app.jobs import BULK, ORCHESTRATE
from app.jobs.catalog import Catalog, unknown_type_message
from app.jobs.params import ParamsRefused, dotted
from app.jobs.secrets import masked_places
from app.jobs.step_params import shown_params, validated_with_steps
from app.jobs.types import JobType
from app.services import services
from app.stream.event import scrub
from app.tasks import lifecycle
from app.tasks.approvals import ApprovalRequest
from app.tasks.creation import Origin
from app.tasks.dispatch import Dispatcher
from app.tasks.fold import PENDING, WAITING
from app.tasks.related import kind_of

PARAMS_LIMIT = 64 * 1024  # bytes of JSON; larger data must be stored where the task can fetch it
INTENT = "execute_command"  # the default


def new_task(
    principal: Principal,
    job: JobType,
    params: dict[str, Any],
    *,
    title: str | None = None,
    intent: str = INTENT,
    approval: ApprovalRequest | None = None,
    origin: Origin = Origin(),
    key: Key | None = None,
    named: str = "params",
) -> str:
    """Creates a task, durably, and sends it; returns its id. For a repeated key, returns the id of the first task.
    ``named`` is the field with the parameters, "" when they are the body. Raises Unavailable, and Unprocessable, naming
    each field."""
    params = checked_params(job, params, named)
    shown = shown_params(services()[Catalog], job, params)  # before the transaction: it may read the types

    def make(remember: Remember) -> str:
        if job.name == ORCHESTRATE:
            limits.steps(params)
        with services().transaction() as tx:
            limits.budget(tx.cur, principal.user_id)
            task_id = lifecycle.create(
                tx,
                user_id=principal.user_id,
                job_type=job.name,
                title=scrub(title or f"Task: {job.name}"),
                intent=scrub(intent),
                params=shown,
                secret_params=params,
                approval=approval,
                origin=origin,
            )
            remember(tx.cur, task_id)
        if approval is None:
            send_first(task_id, job.name)
        return task_id

    return run_once(key, make, lambda result: str(result.task_id))


def checked_params(job: JobType, params: dict[str, Any], named: str = "params") -> dict[str, Any]:
    """Returns the parameters with the defaults filled in. Raises Unprocessable, naming each field."""
    _refuse_large(params, named)  # before each field is checked
    try:
        filled = validated_with_steps(services()[Catalog], job, scrub(params))
    except ParamsRefused as error:
        messages = {name or ma.exceptions.SCHEMA: texts for name, texts in error.messages.items()}
        raise Unprocessable("The parameters were refused", errors=fields(messages, named)) from None
    _refuse_large(filled, named)
    return filled


def _refuse_large(params: dict[str, Any], named: str) -> None:
    if len(orjson.dumps(params)) > PARAMS_LIMIT:
        too_large = [f"Longer than {PARAMS_LIMIT:,} bytes."]
        raise Unprocessable("The parameters are too large", errors={named or "body": too_large})


def origin_of(
    principal: Principal, again_of: UUID | None, job_type: str, params: Mapping[str, Any]
) -> Origin:
    """Returns the origin of a task that is started with the parameters of another one. Raises NotFound when the caller
    may not read that one, Unprocessable when nobody could start it with such parameters."""
    if again_of is None:
        return Origin()
    permissions.require_scope(principal, "read")
    name = permissions.readable_task(principal, str(again_of))
    with services().read() as conn, conn.cursor() as cur:
        found = kind_of(cur, name)
    if found is None:
        raise NotFound("There is no such task")
    if found != (job_type, False):
        why = "Others run it; POST tasks/<id>/retry asks them." if found[1] else f"It is a {found[0]}."
        raise Unprocessable("The task has other parameters", errors={"again_of": [why]})
    if hidden := {dotted(place): ["It is not shown; give it again."] for place in masked_places(params)}:
        raise Unprocessable("Values that are not shown must be given again", errors=fields(hidden, "params"))
    return Origin(again_of=name)


def send_first(task_id: str, job_type: str) -> None:
    """Sends a new task to the broker. When that fails, the task ends at once and the caller may try again: a task
    without a message must not stay PENDING. Raises Unavailable."""
    try:
        services()[Dispatcher].dispatch(task_id, 1, job_type)
    except BrokerDown:
        with services().transaction() as tx:
            if not lifecycle.fail_undeliverable(tx, task_id):
                return  # the message has arrived, and a worker has the task
            forget(tx.cur, task_id)
        raise Unavailable(
            "The message broker does not answer; the task was not started", retry_after=5
        ) from None


def accepted(task_id: str, waits: bool) -> Response:
    """Returns 202 for a new task, with its URL; ``waits``: it waits for approval."""
    first = {"status": WAITING, "sequence": 2} if waits else {"status": PENDING, "sequence": 1}
    location = {"Location": url_for("tasks.status", task_id=task_id)}
    return make_response({"task_id": task_id, **first}, 202, location)


def declared_type(name: str) -> JobType:
    """Returns the job type. Raises Unprocessable, naming ``job_type``, when no worker has declared it, and for bulk
    actions, which have a call of their own."""
    types = {n: t for n, t in services()[Catalog].types_with([name]).items() if n != BULK}
    if name not in types:
        raise Unprocessable("There is no such job type", errors={"job_type": [unknown_type_message(types)]})
    return types[name]
