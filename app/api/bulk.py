"""Bulk actions: cancels or retries many tasks in a run of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask import Response

from app.api import limits
from app.api.bulk_title import title_of_filter, title_of_ids
from app.api.idempotency import KeyHeaders, Remember, key_of, run_once
from app.api.starting import accepted, send_first
from app.api.task_list import ListQuery, listing_of
from app.api.tasks import Started
from app.auth import accounts, permissions, trail
from app.auth.principal import Principal
from app.errors import Unavailable
from app.http.base import Blueprint, ListField, permitted
from app.jobs import BULK
from app.jobs.catalog import Catalog
from app.services import services
from app.tasks import bulk, lifecycle
from app.tasks.bulk import ACTIONS, MOST_IDS, RETRY
from app.tasks.list_filter import Listing

blp = Blueprint("bulk", __name__, description="Bulk actions")


class BulkSchema(ma.Schema):
    action = ma.fields.String(required=True, validate=ma.validate.OneOf(ACTIONS))
    ids = ListField(ma.fields.UUID(), 1, MOST_IDS)
    filter = ma.fields.Nested(
        ListQuery,
        metadata={"description": "As the query of `GET tasks`; {} are all tasks of the caller"},
    )
    succeeded = ma.fields.Boolean(
        load_default=False,
        metadata={
            "description": "A retry by a filter without `status` is also of tasks that succeeded; else not"
        },
    )

    @ma.validates_schema
    def one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if ("ids" in data) == ("filter" in data):
            raise ma.ValidationError("Send ids or filter, one of both.", "ids")
        if data.get("succeeded") and (data["action"] != RETRY or "filter" not in data):
            raise ma.ValidationError("Only of a retry by a filter.", "succeeded")
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
    the newest 10,000. Each is checked when it is its turn, as one call for it would be, with the rights that the
    caller's account or key has then. So the run goes on after the caller has signed out, and does no more once the
    account lost its right or the key was revoked. The log of the run says what became of each; its result has the
    numbers. 409 while another bulk action of the caller has not ended."""
    action, given = body["action"], body.get("filter")
    of = [str(id) for id in body["ids"]] if given is None else _listing(principal, body)
    if BULK not in services()[Catalog].types_with([BULK]):
        raise Unavailable("No worker has the job type bulk_action, which is in the package workers.jobs")
    number = len(set(body.get("ids", ())))
    title = title_of_ids(action, number) if given is None else _title(principal, body)
    params: dict[str, Any] = {"action": action}
    params |= {"number": number} if given is None else {"filter": ListQuery().dump(given)}
    params |= {"succeeded": True} if body["succeeded"] else {}

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


def _listing(principal: Principal, body: dict[str, Any]) -> Listing:
    found = listing_of(principal, body["filter"])
    chosen = body["action"] != RETRY or body["succeeded"] or found.status is not None
    return found if chosen else replace(found, unsuccessful=True)


def _title(principal: Principal, body: dict[str, Any]) -> str:
    given, person = body["filter"], None
    # Of a run of all tenants not all readers may know the person.
    if "who" in given and given["scope"] != "all":
        with services().read() as conn, conn.cursor() as cur:
            person = accounts.name_for(cur, principal, str(given["who"]))
    return title_of_filter(body["action"], given, person, body["succeeded"])
