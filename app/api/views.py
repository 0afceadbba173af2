"""Saved views: filters of the list of runs, by name, for their owner or for its tenant."""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from uuid import UUID

import marshmallow as ma

from app.api import limits
from app.api.cursors import PageQuery, page_response, position_of, utc
from app.api.idempotency import KeyHeaders, KeyResult, Remember, key_of, run_once
from app.api.task_list import ListQuery
from app.auth import saved_views
from app.auth.principal import Principal
from app.auth.saved_views import LONGEST_NAME
from app.http.base import Blueprint, acting, reading
from app.services import services

blp = Blueprint("views", __name__, description="Saved views")

MOST_FILTERS = 30
LONGEST_FILTER, LONGEST_VALUE = 32, 200  # characters
TIMES = ("today", "24h", "7d", "30d")  # what a list looks back at
USER = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
SECONDS = r"[0-9]{1,9}(\.[0-9]{1,3})?$"
_FILTER = re.compile(f"[a-z_]{{1,{LONGEST_FILTER}}}")


def _shown(text: str) -> None:
    """Refuses control characters, surrogates and a text of spaces. Marks of direction and joined emoji are in names."""
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text) or not text.strip():
        raise ma.ValidationError("Control characters, or nothing to see.")


def _flag() -> ma.fields.Boolean:
    """As an address of the dashboard has it."""
    return ma.fields.Boolean(truthy={"true"}, falsy={"false"})


class AddressFilters(ListQuery):
    """The filters that the address of the list has in the dashboard: those of ``GET tasks`` as the dashboard reads
    them, and its own (static/src/state/filter.ts)."""

    class Meta:
        exclude = ("top", "parent_id")

    # As texts: the dashboard knows fewer ways to write them.
    who = ma.fields.String(validate=ma.validate.Regexp(USER))  # type: ignore[assignment]
    min_seconds = ma.fields.String(validate=ma.validate.Regexp(SECONDS))  # type: ignore[assignment]
    max_seconds = ma.fields.String(validate=ma.validate.Regexp(SECONDS))  # type: ignore[assignment]
    errors = _flag()
    approval = _flag()
    time = ma.fields.String(validate=ma.validate.OneOf(TIMES))
    steps = _flag()

    @ma.validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        since, until = data.get("since"), data.get("until")
        if since and until and since >= until:
            raise ma.ValidationError("Not later than from: no run can match.", "to")


_ADDRESS = AddressFilters()


class NameField(ma.fields.String):
    """A name without the spaces around it: with and without them it would look the same."""

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        return str(super()._deserialize(*args, **kwargs)).strip()


class FiltersField(ma.fields.Dict):
    """Filters by name. Checks their number first: each that is wrong has a message."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, dict) and not 0 < len(value) <= MOST_FILTERS:
            raise ma.ValidationError(f"1 to {MOST_FILTERS} filters.")
        filters = super()._deserialize(value, *args, **kwargs)  # type: ignore[no-untyped-call]
        _ADDRESS.load(filters)
        return filters


class NewView(ma.Schema):
    name = NameField(required=True, validate=[ma.validate.Length(1, LONGEST_NAME), _shown])
    filters = FiltersField(
        keys=ma.fields.String(
            validate=ma.validate.Regexp(_FILTER.pattern + "$", error="Not the name of a filter.")
        ),
        values=ma.fields.String(validate=[ma.validate.Length(1, LONGEST_VALUE), _shown]),
        required=True,
        metadata={
            "description": "One at least, as the address of the list has them in the dashboard: `scope`, `who`, "
            "`job_type`, `from`, `to`, `q`, `errors`, `approval`, `min_seconds`, `max_seconds` and `status` of "
            f"`GET tasks`; `time` ({', '.join(TIMES)}), how far the list looks back; `steps` is `true` where they "
            "are not folded. `from` and `to` count before `time`, as in the dashboard; `who` is a user that the "
            "caller may know; `scope` of a shared view is not `all`, which nobody of a tenant may read"
        },
    )
    shared = ma.fields.Boolean(
        load_default=False, metadata={"description": "With the tenant of its owner, which may read it"}
    )

    @ma.validates_schema
    def readable(self, data: dict[str, Any], **_: Any) -> None:
        if data["shared"] and data["filters"].get("scope") == "all":
            words = "Who reads a shared view may not read the runs of all tenants; do not share it."
            raise ma.ValidationError({"filters": {"scope": [words]}})


class ViewSchema(ma.Schema):
    id = ma.fields.String()
    name = ma.fields.String()
    filters = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    shared = ma.fields.Boolean()
    owner = ma.fields.String(metadata={"description": "The e-mail address of its account"})
    mine = ma.fields.Boolean()
    may_change = ma.fields.Boolean(metadata={"description": "Whether the caller may change and delete it"})
    created_at = ma.fields.String()


class ViewPage(ma.Schema):
    views = ma.fields.List(ma.fields.Nested(ViewSchema))
    next = ma.fields.String(allow_none=True)


@blp.get("/views")
@reading
@blp.arguments(PageQuery, location="query")
@blp.response(200, ViewPage)
def listed(principal: Principal, query: dict[str, Any]) -> Any:
    """Returns the caller's views and those that are shared with its tenant, newest first."""
    before, limit = position_of(query, utc, UUID), query["limit"]
    with services().read() as conn, conn.cursor() as cur:
        found = saved_views.page(cur, principal, before, limit + 1)
    rows = [view.row(principal) for view in found[:limit]]
    position = (rows[-1]["created_at"], rows[-1]["id"]) if len(found) > limit else None
    return page_response("views", rows, position)


@blp.post("/views")
@acting
@limits.changes
@blp.arguments(KeyHeaders, location="headers")
@blp.arguments(NewView)
@blp.response(201, ViewSchema)
def create(principal: Principal, headers: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """Saves a view, for the caller alone or shared with its tenant. 409 when the caller has one of that name."""

    def make(remember: Remember) -> dict[str, Any]:
        with services().transaction() as tx:
            view = saved_views.create(tx.cur, principal, **body)
            remember(tx.cur, None, view.id)
        return view.row(principal)

    def replay(result: KeyResult) -> dict[str, Any]:
        with services().read() as conn, conn.cursor() as cur:
            return saved_views.one(cur, principal, result.note or "").row(principal)

    return run_once(key_of(principal, headers), make, replay)


@blp.put("/views/<uuid:view_id>")
@acting
@limits.changes
@blp.arguments(NewView)
@blp.response(200, ViewSchema)
def change(principal: Principal, body: dict[str, Any], view_id: UUID) -> dict[str, Any]:
    """Replaces a view: its name, its filters, and whether it is shared. Its owner may, and an admin of the tenant that
    it is shared with."""
    with services().transaction() as tx:
        return saved_views.change(tx.cur, principal, str(view_id), **body).row(principal)


@blp.delete("/views/<uuid:view_id>")
@acting
@blp.response(204)
def delete(principal: Principal, view_id: UUID) -> None:
    """Deletes a view of the caller, or one that is shared with a tenant that the caller administers."""
    with services().transaction() as tx:
        saved_views.delete(tx.cur, principal, str(view_id))
