"""Starting a task, and finding the one that runs."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import orjson
from flask import Response, jsonify, url_for

from app import green
from app.api import limits
from app.api.idempotency import Key, KeyHeaders, Made, key_of, once
from app.api.tasks import Snapshot, Started
from app.auth.principal import Principal
from app.errors import Unavailable, Unprocessable
from app.http.base import Blueprint, NoQuery, acting, signed_in
from app.http.problems import fields
from app.services import services
from app.stream.event import scrub
from app.tasks import approvals, lifecycle
from app.tasks.approvals import Approval, ApprovalSchema
from app.tasks.dispatch import SEND_SECONDS, BrokerDown, Dispatcher
from app.tasks.feed import ORCHESTRATE
from app.tasks.fold import PENDING, WAITING
from app.tasks.snapshot import snapshot
from workers.registry import Job, jobs

blp = Blueprint("agent", __name__, description="Starting tasks")

PARAMS_LIMIT = 64 * 1024  # bytes of JSON; a file belongs where the task can fetch it
INTENT = "execute_command"  # of whoever does not name another


class Start(ma.Schema):
    job_type = ma.fields.String(required=True, validate=ma.validate.Length(1, 64))
    params = ma.fields.Dict()
    preferences = ma.fields.Dict(metadata={"description": "Another word for params"})
    title = ma.fields.String(validate=ma.validate.Length(1, 255))
    intent = ma.fields.String(load_default=INTENT, validate=ma.validate.Length(1, 64))

    approval = ma.fields.Nested(
        ApprovalSchema, metadata={"description": "The task waits for this approval before it runs"}
    )

    @ma.validates_schema
    def one_word(self, data: dict[str, Any], **_: Any) -> None:
        if "params" in data and "preferences" in data:
            raise ma.ValidationError("Send params or preferences, not both.", "preferences")


class Active(ma.Schema):
    active = ma.fields.Nested(Snapshot, allow_none=True)


@blp.post("/agent/start")
@acting
@limits.starts
@blp.arguments(NoQuery, location="query")
@blp.arguments(KeyHeaders, location="headers")
@blp.arguments(Start)
@blp.alt_response(202, schema=Started)
def start(principal: Principal, query: Any, headers: dict[str, str], body: dict[str, Any]) -> Response:
    """Starts a task. The answer comes when it is durable and the broker has been told."""
    asked = body.get("approval")
    approval = Approval(approvals.START, scrub(asked.pop("title")), **asked) if asked else None
    params = body.get("params", body.get("preferences", {}))
    task_id = new_task(
        principal,
        _job(body["job_type"]),
        params,
        title=body.get("title"),
        intent=body["intent"],
        approval=approval,
        key=key_of(principal, headers, whole=False),
    )
    return accepted(task_id, approval is not None)


def new_task(
    principal: Principal,
    job: Job,
    params: dict[str, Any],
    *,
    title: str | None = None,
    intent: str = INTENT,
    approval: Approval | None = None,
    key: Key | None = None,
    named: str = "params",
) -> str:
    """The id of a task that is durable and on its way; of the one that this idempotency key made before. Raises
    Unavailable, and Unprocessable, naming each field; ``named`` is what the caller calls the parameters."""
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

    return once(key, make, lambda made: str(made.task_id))


@blp.get("/agent/active")
@signed_in
@blp.arguments(NoQuery, location="query")
@blp.response(200, Active)
def active(principal: Principal, query: dict[str, Any]) -> dict[str, Any]:
    """The caller's newest unfinished task that is no step of another."""
    with services().read() as conn, conn.cursor() as cur:
        cur.execute(
            """SELECT id::text FROM tasks WHERE user_id = %s AND finished_at IS NULL AND parent_id IS NULL
               ORDER BY created_at DESC LIMIT 1""",
            (principal.user_id,),
        )
        row = cur.fetchone()
    return {"active": snapshot(services().read, row[0]) if row else None}


def checked_params(job: Job, params: dict[str, Any], named: str = "params") -> dict[str, Any]:
    """The parameters, validated and with the defaults filled in. Raises Unprocessable, naming each field."""
    if len(orjson.dumps(params)) > PARAMS_LIMIT:  # before each field is looked at
        raise _too_large(named)
    params = scrub(params)
    schema = job.params()
    try:
        loaded: dict[str, Any] = schema.dump(schema.load(params))
    except ma.ValidationError as error:
        raise Unprocessable(f"{named} was refused", errors=fields(error.messages, named)) from None
    try:
        size = len(orjson.dumps(loaded))
    except TypeError as error:
        raise Unprocessable(f"{named} was refused", errors={named: [f"{error}."]}) from None
    if size > PARAMS_LIMIT:
        raise _too_large(named)
    return loaded


def _too_large(named: str) -> Unprocessable:
    return Unprocessable(f"{named} is too large", errors={named: [f"Longer than {PARAMS_LIMIT:,} bytes."]})


def begin(task_id: str, job_type: str, approval: Approval | None) -> Response:
    """Sends a new task on its way, unless somebody has to approve it first. Raises Unavailable."""
    if approval is None:
        send_first(task_id, job_type)
    return accepted(task_id, approval is not None)


def send_first(task_id: str, job_type: str) -> None:
    """Tells the broker of a new task. When it cannot be told the task ends at once and the caller may
    try again: a task that nobody knows of must not stay PENDING. Raises Unavailable."""
    try:
        with green.limit(SEND_SECONDS, BrokerDown("no answer in time")):
            services()[Dispatcher].dispatch(task_id, 1, job_type)
    except BrokerDown:
        with services().transaction() as tx:
            if not lifecycle.fail_undeliverable(tx, task_id):
                return  # the message arrived after all, and a worker has the task
            tx.cur.execute("DELETE FROM idempotency_keys WHERE task_id = %s", (task_id,))
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


def _job(name: str) -> Job:
    job = jobs().get(name)
    if job is None:
        raise Unprocessable(
            "There is no such job type", errors={"job_type": [f"One of: {', '.join(jobs())}."]}
        )
    return job
