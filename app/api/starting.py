"""Makes a task that a caller asks for, and tells the broker of it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import orjson
from flask import Response, jsonify, url_for

from app import green
from app.api import limits
from app.api.idempotency import Key, Made, forget, run_once
from app.auth.principal import Principal
from app.broker import SEND_SECONDS, BrokerDown
from app.errors import Unavailable, Unprocessable
from app.http.problems import fields
from app.jobs import ORCHESTRATE
from app.jobs.catalog import Catalog, unknown_type_message
from app.jobs.params import InvalidParams
from app.jobs.steps import validated_with_steps
from app.jobs.types import JobType
from app.services import services
from app.stream.event import scrub
from app.tasks import lifecycle
from app.tasks.approvals import Approval
from app.tasks.dispatch import Dispatcher
from app.tasks.fold import PENDING, WAITING

PARAMS_LIMIT = 64 * 1024  # bytes of JSON; a file belongs where the task can fetch it
INTENT = "execute_command"  # of whoever does not name another


def new_task(
    principal: Principal,
    job: JobType,
    params: dict[str, Any],
    *,
    title: str | None = None,
    intent: str = INTENT,
    approval: Approval | None = None,
    key: Key | None = None,
    named: str = "params",
) -> str:
    """The id of a task that is durable and on its way; of the one that this idempotency key made before. Raises
    Unavailable, and Unprocessable, naming each field; ``named`` is the field that holds the parameters, "" where they
    are the body itself."""
    params = checked_params(job, params, named)

    def make() -> str:
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
                params=params,
                approval=approval,
            )
            if key:
                key.remember(tx.cur, Made(task_id, None))
        if approval is None:
            send_first(task_id, job.name)
        return task_id

    return run_once(key, make, lambda made: str(made.task_id))


def checked_params(job: JobType, params: dict[str, Any], named: str = "params") -> dict[str, Any]:
    """The parameters with the defaults filled in. Raises Unprocessable, naming each field."""
    _refuse_large(params, named)  # before each field is looked at
    try:
        filled = validated_with_steps(services()[Catalog], job, scrub(params))
    except InvalidParams as error:
        messages = {name or ma.exceptions.SCHEMA: texts for name, texts in error.messages.items()}
        raise Unprocessable("The parameters were refused", errors=fields(messages, named)) from None
    _refuse_large(filled, named)
    return filled


def _refuse_large(params: dict[str, Any], named: str) -> None:
    if len(orjson.dumps(params)) > PARAMS_LIMIT:
        too_large = [f"Longer than {PARAMS_LIMIT:,} bytes."]
        raise Unprocessable("The parameters are too large", errors={named or "body": too_large})


def begin(task_id: str, job_type: str, approval: Approval | None) -> Response:
    """Sends a new task on its way, unless somebody has to approve it first. Raises Unavailable."""
    if approval is None:
        send_first(task_id, job_type)
    return accepted(task_id, approval is not None)


def send_first(task_id: str, job_type: str) -> None:
    """Tells the broker of a new task. When it cannot be told the task ends at run_once and the caller may
    try again: a task that nobody knows of must not stay PENDING. Raises Unavailable."""
    try:
        with green.limit(SEND_SECONDS, BrokerDown("no answer in time")):
            services()[Dispatcher].dispatch(task_id, 1, job_type)
    except BrokerDown:
        with services().transaction() as tx:
            if not lifecycle.fail_undeliverable(tx, task_id):
                return  # the message arrived after all, and a worker has the task
            forget(tx.cur, task_id)
        raise Unavailable(
            "The message broker does not answer; the task was not started", retry_after=5
        ) from None


def accepted(task_id: str, waits: bool) -> Response:
    """202 for a new task, with its address; ``waits`` for approval."""
    first = {"status": WAITING, "sequence": 2} if waits else {"status": PENDING, "sequence": 1}
    response = jsonify({"task_id": task_id, **first})
    response.status_code = 202
    response.headers["Location"] = url_for("tasks.status", task_id=task_id)
    return response


def declared_type(name: str) -> JobType:
    """Raises Unprocessable, naming ``job_type``, for one that no worker has declared."""
    types = services()[Catalog].types_with([name])
    if name not in types:
        raise Unprocessable("There is no such job type", errors={"job_type": [unknown_type_message(types)]})
    return types[name]
