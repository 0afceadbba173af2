"""Bulk actions: cancels or retries many tasks in a run of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from app.api import limits
from app.api.idempotency import KeyHeaders, Remember, key_of, run_once
from app.api.starting import accepted, send_first
from app.api.task_list import ListQuery, listing_of
from app.api.tasks import Started
from app.auth import permissions, trail
from app.auth.principal import Principal
from app.errors import Unavailable
from app.http.base import Blueprint, ListField, permitted
from app.jobs import BULK
from app.jobs.catalog import Catalog
from app.services import services
from app.stream.event import shortened
from app.tasks import bulk, lifecycle
from app.tasks.bulk import ACTIONS, MOST_IDS

blp = Blueprint("bulk", __name__, description="Bulk actions")

LONGEST_TITLE = 255
UNSAID = ("scope", "top")  # in a title


class BulkSchema(ma.Schema):
    action = ma.fields.String(required=True, validate=ma.validate.OneOf(ACTIONS))
    ids = ListField(ma.fields.UUID(), 1, MOST_IDS)
    filter = ma.fields.Nested(
        ListQuery,
        metadata={"description": "As the query of `GET tasks`; {} are all tasks of the caller"},
    )

    @ma.validates_schema
    def one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if ("ids" in data) == ("filter" in data):
            raise ma.ValidationError("Send ids or filter, one of both.", "ids")
        if "\0" in "".join(value for value in data.get("filter", {}).values() if isinstance(value, str)):
            raise ma.ValidationError("May not hold NUL.", "filter")


@blp.post("/tasks/bulk")
@permitted("act", permissions.may_write)
@limits.starts
@blp.arguments(KeyHeaders, location="headers")
@blp.arguments(BulkSchema)
@blp.alt_response(202, schema=Started)
def act(principal: Principal, headers: dict[str, str], body: dict[str, Any]) -> Response:
    """Starts a run that cancels or retries many tasks: those named, or those that match a filter when it is asked for,
    the newest 10,000. Each is checked when it is its turn, as one call for it would be, with the rights that the caller
    has then. The log of the run says what became of each; its result has the numbers. 409 while another bulk action of
    the caller has not ended."""
    action, given = body["action"], body.get("filter")
    of = [str(id) for id in body["ids"]] if given is None else listing_of(principal, given)
    if BULK not in services()[Catalog].types_with([BULK]):
        raise Unavailable("No worker has the job type bulk_action, which is in the package workers.jobs")
    shown = ListQuery().dump(given or {})  # by the names that the caller gave
    number = len(set(body.get("ids", ())))
    title = _title(action, number, shown)
    params = {"action": action} | ({"number": number} if given is None else {"filter": shown})

    def make(remember: Remember) -> str:
        with services().transaction() as tx:
            bulk.refuse_second(tx.cur, principal.user_id)
            limits.budget(tx.cur, principal.user_id)
            task_id = lifecycle.create(
                tx, user_id=principal.user_id, job_type=BULK, title=title, intent=BULK, params=params
            )
            bulk.order(tx.cur, task_id, principal.key_id, action, of)
            trail.record(tx.cur, principal, f"bulk_{action}", "task", task_id, bulk_id=task_id)
            remember(tx.cur, task_id)
        send_first(task_id, BULK)
        return task_id

    return accepted(run_once(key_of(principal, headers), make, lambda result: str(result.task_id)), False)


def _title(action: str, number: int, shown: Mapping[str, Any]) -> str:
    word = action.capitalize()
    if number:
        return f"{word} {number:,} {'run' if number == 1 else 'runs'}"
    whose = {"tenant": "all runs of the tenant", "all": "all runs of all tenants"}.get(
        shown["scope"], "all my runs"
    )
    conditions = ", ".join(f"{name} {_word(value)}" for name, value in shown.items() if name not in UNSAID)
    return shortened(f"{word} {whose}: {conditions}" if conditions else f"{word} {whose}", LONGEST_TITLE)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
