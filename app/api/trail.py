"""The trail: who did what, as a list and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from flask import Response

from app.api.cursors import PageQuery, page_response, position_of, utc
from app.api.downloads import NDJSON, download_response, ndjson
from app.auth import trail, trail_list
from app.auth.principal import Principal
from app.auth.trail_list import Wanted
from app.http.base import Blueprint, TimeField, reading
from app.services import services

blp = Blueprint("trail", __name__, description="Who did what")

LONGEST_ACTIONS = 500  # characters of a list of actions


def _actions(text: str) -> None:
    known = {*trail.ACTIONS, *trail.GROUPS}
    if unknown := [name for name in text.split(",") if name not in known]:
        raise ma.ValidationError(f"{unknown[0][:50]!r} is none of {', '.join(sorted(known))}.")


class TrailFilter(ma.Schema):
    action = ma.fields.String(
        validate=[ma.validate.Length(1, LONGEST_ACTIONS), _actions],
        metadata={"description": "One or several, or groups of them, separated by commas"},
    )
    who = ma.fields.UUID(metadata={"description": "The id of the account that did it"})
    since = TimeField(data_key="from")
    until = TimeField(data_key="to")
    q = ma.fields.String(
        validate=ma.validate.Length(1, 200),
        metadata={
            "description": "A text in a name or in the note; the beginning of the id of what it was done to"
        },
    )
    owner = ma.fields.UUID(
        metadata={"description": "The id of the account whose it was done to, where another did it"}
    )
    bulk = ma.fields.UUID(metadata={"description": "The id of a bulk action: only what it did to each run"})


class TrailQuery(PageQuery, TrailFilter):
    folded = ma.fields.Boolean(
        metadata={"description": "Without what bulk actions did to each run: they have entries of their own"}
    )


class EntrySchema(ma.Schema):
    id = ma.fields.String()
    at = ma.fields.String()
    last_at = ma.fields.String(
        allow_none=True, metadata={"description": "Of refusals: when the last one was"}
    )
    number = ma.fields.Integer(
        metadata={
            "description": "1; of refusals how many there were in a minute, of a bulk action how many runs it changed"
        }
    )
    action = ma.fields.String(validate=ma.validate.OneOf(trail.ACTIONS))
    outcome = ma.fields.String(
        metadata={"description": "`ok`, or the word of the access log for the refusal"}
    )
    user_id = ma.fields.String(allow_none=True)
    user_name = ma.fields.String(
        allow_none=True,
        metadata={"description": "The e-mail address of that time; `script/cli` is an operator"},
    )
    key_id = ma.fields.String(allow_none=True, metadata={"description": "The API key that was used"})
    key_name = ma.fields.String(allow_none=True)
    address = ma.fields.String(
        allow_none=True, metadata={"description": "Of the caller's own deeds, and for admins of all"}
    )
    kind = ma.fields.String(validate=ma.validate.OneOf(trail.KINDS))
    target = ma.fields.String(allow_none=True, metadata={"description": "The id of what it was done to"})
    title = ma.fields.String(metadata={"description": "Its name; of a refusal the call"})
    owner_id = ma.fields.String(
        allow_none=True, metadata={"description": "Whose it is, where another did it"}
    )
    owner = ma.fields.String(allow_none=True, metadata={"description": "The owner's e-mail address"})
    tenant = ma.fields.String(allow_none=True)
    note = ma.fields.String(metadata={"description": "The reason, or what was made"})
    bulk_id = ma.fields.String(allow_none=True, metadata={"description": "The run of the bulk action"})
    refused = ma.fields.Integer(
        metadata={"description": "Of a bulk action: how many runs it was not allowed to change"}
    )


class TrailPage(ma.Schema):
    entries = ma.fields.List(ma.fields.Nested(EntrySchema))
    next = ma.fields.String(allow_none=True)


@blp.get("/trail")
@reading
@blp.arguments(TrailQuery, location="query")
@blp.alt_response(200, schema=TrailPage)
def listed(principal: Principal, query: dict[str, Any]) -> Any:
    """Returns who did what, newest first: the caller's own deeds and what others did to what the caller owns; for an
    admin all of the tenant, for a global admin all. A page may be short, even empty, and still have `next`: for some
    filters one request looks at 5,000 entries."""
    before = position_of(query, utc, int)
    with services().read() as conn, conn.cursor() as cur:
        page = trail_list.page(cur, _wanted(principal, query), before, query["limit"])
    return page_response("entries", [_shown(principal, entry) for entry in page.entries], page.next)


@blp.get("/trail/export")
@reading
@blp.arguments(TrailFilter, location="query")
@blp.response(200)
def export(principal: Principal, query: dict[str, Any]) -> Response:
    """Streams the same entries, all of them, as NDJSON with gzip when accepted. Too many downloads at a time are
    429."""
    entries = trail_list.every_entry(services().read, _wanted(principal, query))
    shown: Iterator[dict[str, Any]] = (_shown(principal, entry) for entry in entries)
    return download_response(principal, ndjson(shown), NDJSON, "trail.ndjson")


def _wanted(principal: Principal, query: dict[str, Any]) -> Wanted:
    names = query["action"].split(",") if "action" in query else None
    actions = names and tuple({action: None for name in names for action in trail.GROUPS.get(name, (name,))})
    ids = {name: str(query[name]) for name in ("who", "owner", "bulk") if name in query}
    return Wanted.of(
        principal,
        user_id=ids.get("who"),
        owner_id=ids.get("owner"),
        actions=actions,
        since=query.get("since"),
        until=query.get("until"),
        q=query.get("q"),
        bulk=ids.get("bulk"),
        folded=principal.user_id if query.get("folded") else None,
    )


def _shown(principal: Principal, entry: dict[str, Any]) -> dict[str, Any]:
    """Returns the entry without the address of another user, unless the caller is an admin."""
    if entry["user_id"] == principal.user_id or principal.administers is not None or principal.is_global:
        return entry
    return entry | {"address": None}
