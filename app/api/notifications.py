"""Notifications: the list, the number of unread ones, and marking as read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
import orjson

from app.api import limits
from app.api.idempotency import KeyHeaders, Remember, key_of, run_once
from app.auth import permissions, trail
from app.auth.principal import SESSION, Principal
from app.http.base import Blueprint, WholeField, acting, permitted, reading, with_next
from app.inbox import notification
from app.inbox import store as inbox
from app.notifications import announce as announce_to_all
from app.services import services
from app.stream.event import MAX_SEQUENCE, scrub

blp = Blueprint("notifications", __name__, description="Notifications")


class ListQuery(ma.Schema):
    unread = ma.fields.Boolean(truthy={"true", "1"}, falsy={"false", "0"})
    cursor = WholeField(validate=ma.validate.Range(1, MAX_SEQUENCE))
    limit = WholeField(load_default=50, validate=ma.validate.Range(1, 200))


class NotificationSchema(ma.Schema):
    sequence = ma.fields.Integer(metadata={"description": "Of its event on the user's stream"})
    id = ma.fields.String()
    notification_type = ma.fields.String(validate=ma.validate.OneOf(tuple(notification.TYPES)))
    severity = ma.fields.String(validate=ma.validate.OneOf(notification.SEVERITIES))
    title = ma.fields.String()
    message = ma.fields.String()
    related_type = ma.fields.String(allow_none=True)
    related_id = ma.fields.String(allow_none=True)
    related_session_id = ma.fields.String(allow_none=True)
    action_url = ma.fields.String(allow_none=True)
    urgent = ma.fields.Boolean()
    metadata = ma.fields.Dict()
    status = ma.fields.String(validate=ma.validate.OneOf(("unread", "read")))
    read = ma.fields.Boolean()
    read_at = ma.fields.String(allow_none=True)
    created_at = ma.fields.String()
    tenant = ma.fields.String(allow_none=True)


class PageSchema(ma.Schema):
    notifications = ma.fields.List(ma.fields.Nested(NotificationSchema))
    next = ma.fields.String(allow_none=True)
    unread_count = ma.fields.Integer()
    sequence = ma.fields.Integer(
        metadata={"description": "The sequence of the caller's stream for which unread_count holds"}
    )


class Unread(ma.Schema):
    unread_count = ma.fields.Integer()


class AnnouncementSchema(ma.Schema):
    title = ma.fields.String(required=True, validate=ma.validate.Length(1, notification.LONGEST_TITLE))
    message = ma.fields.String(load_default="", validate=ma.validate.Length(max=notification.LONGEST_MESSAGE))
    action_url = ma.fields.String(
        validate=(
            ma.validate.Length(1, notification.LONGEST_URL),
            ma.validate.Regexp(notification.ADDRESS, error="Neither an http(s) URL nor a path."),
        )
    )
    urgent = ma.fields.Boolean(load_default=False)


class Announced(ma.Schema):
    id = ma.fields.String()
    sequence = ma.fields.Integer(metadata={"description": "On `broadcast`"})


@blp.get("/notifications")
@reading
@blp.arguments(ListQuery, location="query")
@blp.alt_response(200, schema=PageSchema)
def listed(principal: Principal, query: dict[str, Any]) -> Any:
    """Returns the caller's notifications, newest first."""
    limit = query["limit"]
    with services().read() as conn, conn.cursor() as cur:
        unread, sequence = inbox.unread_with_sequence(cur, principal.user_id)
        page, more = inbox.page(cur, principal.user_id, query.get("cursor"), query.get("unread"), limit)
    next_cursor = str(page[-1]["sequence"]) if more else None
    body = {"notifications": page, "next": next_cursor, "unread_count": unread, "sequence": sequence}
    return with_next(body, {"cursor": next_cursor} if next_cursor else None)


@blp.get("/notifications/unread-count")
@reading
@blp.response(200, Unread)
def unread_count(principal: Principal) -> dict[str, int]:
    with services().read() as conn, conn.cursor() as cur:
        return {"unread_count": inbox.unread_count(cur, principal.user_id)}


@blp.post("/notifications/<uuid:notification_id>/read")
@acting
@blp.response(200, Unread)
def read(principal: Principal, notification_id: UUID) -> dict[str, int]:
    """Marks a notification as read, in every tab; a repeat has no effect."""
    return _mark(principal, str(notification_id))


@blp.post("/notifications/read-all")
@acting
@blp.response(200, Unread)
def read_all(principal: Principal) -> dict[str, int]:
    """Marks all present notifications as read."""
    return _mark(principal, None)


def _mark(principal: Principal, id: str | None) -> dict[str, int]:
    with services().transaction() as tx:
        unread = inbox.mark_read(tx, principal.user_id, id)
    return {"unread_count": unread}


@blp.post("/announcements")
@permitted(SESSION, permissions.may_announce)
@limits.changes
@blp.arguments(KeyHeaders, location="headers")
@blp.arguments(AnnouncementSchema)
@blp.response(201, Announced)
def announce(principal: Principal, headers: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """Publishes an announcement on `broadcast`, for present and later viewers. For admins."""
    fields, key = scrub(body), key_of(principal, headers)

    def make(remember: Remember) -> dict[str, Any]:
        with services().transaction() as tx:
            event = announce_to_all(tx, **fields)
            trail.record(tx.cur, principal, "announce", "everybody", title=fields["title"])
            remember(tx.cur, None, event.payload)
        return event.decoded()

    return run_once(key, make, lambda result: dict(orjson.loads(result.note or "{}")))
