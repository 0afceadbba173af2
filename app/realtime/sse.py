"""Server-sent events: the same rooms one-way, for clients that have a URL and nothing else."""

from __future__ import annotations

from uuid import UUID

import marshmallow as ma
from flask import Response, request

from app.auth import permissions
from app.auth.principal import Principal
from app.errors import NotFound, Unprocessable
from app.http.base import Blueprint
from app.http.scopes import declared
from app.inbox.notification import NOTIFICATION_EVENTS
from app.realtime.sse_codec import CODECS, Codecs
from app.realtime.sse_cursors import MAX_ROOMS, cursors_of_user, parse_rooms, resume_cursor, resume_cursors
from app.realtime.sse_serve import Hello, many_rooms, own_streams, serve
from app.realtime.sse_user import announced_since
from app.services import services
from app.stream.codec import Filter
from app.stream.event import EVENT_TYPE, LEVELS, task_stream

blp = Blueprint("streams", __name__, description="Server-sent events")


def _names(text: str) -> None:
    """Raises ValidationError unless it is a list of event types."""
    names = text.split(",")
    if len(names) > 32 or not all(EVENT_TYPE.match(name) for name in names):
        raise ma.ValidationError("Not a list of event types.")


def _rooms(text: str) -> None:
    """Raises ValidationError unless it is a list of rooms."""
    try:
        parse_rooms(text)
    except ValueError as error:
        raise ma.ValidationError(str(error)) from None


class StreamQuery(ma.Schema):
    since_sequence = ma.fields.String(
        metadata={"description": "A sequence, or `latest` for live events only"}
    )
    types = ma.fields.String(validate=_names, metadata={"description": "log,phase_update"})
    level = ma.fields.String(validate=ma.validate.OneOf(tuple(LEVELS)))
    ticket = ma.fields.String()


class NotificationQuery(ma.Schema):
    since_sequence = ma.fields.String()
    ticket = ma.fields.String()


class RoomsQuery(StreamQuery):
    rooms = ma.fields.String(
        validate=_rooms,
        metadata={
            "description": f"Required: task:<id>,…,user,broadcast; {MAX_ROOMS} at most."
            " Each may name the cursor to begin at: task:<id>@<sequence>, user@latest"
        },
    )


@blp.get("/tasks/<uuid:task_id>/stream")
@declared("read", shared=True)
@blp.arguments(StreamQuery, location="query")
@blp.response(200)
def stream(query: dict[str, str], task_id: UUID) -> Response:
    """Every event after the cursor, then live. `Last-Event-ID` beats `since_sequence`; without either
    from the first event. A client that already has the last event of a finished task gets 204."""
    cursor = resume_cursor(query, default=0)
    return serve(
        lambda principal: [task_stream(permissions.readable_task(principal, str(task_id)))],
        lambda names: [cursor],
        filter_of(query),
    )


@blp.get("/events/stream")
@declared("read")
@blp.arguments(StreamQuery, location="query")
@blp.response(200)
def events_stream(query: dict[str, str]) -> Response:
    """What happens to the caller's tasks, the caller's notifications and announcements to all: live, or from a cursor
    on."""
    return serve_own(query, filter_of(query))


@blp.get("/notifications/stream")
@declared("read")
@blp.arguments(NotificationQuery, location="query")
@blp.response(200)
def notifications_stream(query: dict[str, str]) -> Response:
    """The caller's notifications and announcements alone: the same streams and the same cursors, filtered."""
    refuse_switched_off()
    return serve_own(query, Filter(NOTIFICATION_EVENTS, None))


@blp.get("/stream")
@declared("read", shared=True)
@blp.arguments(RoomsQuery, location="query")
@blp.response(200)
def rooms_stream(query: dict[str, str]) -> Response:
    """Many rooms on one connection. Each id holds the cursor of every room; without one each begins where it says with
    `@`, else a task's room at its first event and the others live. One that the caller may not see is 404 for all."""
    begins: dict[str, int | None] = {}

    def names_of(principal: Principal) -> list[str]:
        if "rooms" not in query:  # checked only after the caller is known
            raise Unprocessable("Name the rooms", errors={"rooms": ["Missing data for required field."]})
        for room, cursor in parse_rooms(query["rooms"]):
            stream = permissions.readable_room(principal, room)
            if begins.setdefault(stream, cursor) != cursor:
                raise Unprocessable("Two cursors", errors={"rooms": ["One room with two cursors."]})
        return sorted(begins)

    return serve(names_of, lambda names: resume_cursors(query, begins), filter_of(query), kind=many_rooms)


def serve_own(
    query: dict[str, str], filter: Filter, codecs: Codecs = CODECS, hello: Hello | None = None
) -> Response:
    """Streams the caller's own stream and ``broadcast``."""
    header, text = request.headers.get("Last-Event-ID", ""), query.get("since_sequence", "")
    cursors = cursors_of_user(header or text)
    # An id that is none is refused as on every stream, naming the field.
    own, broadcast = cursors if cursors else (resume_cursor(query, None), None)

    def cursors_of(names: list[str]) -> list[int | None]:
        comes_back = bool(header) and broadcast is None
        return [own, announced_since(services().read) if comes_back else broadcast]

    return serve(
        lambda principal: [permissions.own_stream(principal), permissions.broadcast_stream(principal)],
        cursors_of,
        filter,
        codecs,
        hello,
        kind=own_streams,
    )


def refuse_switched_off() -> None:
    """Raises NotFound where notification streams are switched off."""
    if not services().config.sse_notifications:
        raise NotFound("Notification streams are switched off; ask for the list instead")


def filter_of(query: dict[str, str]) -> Filter:
    types = query.get("types")
    return Filter(frozenset(types.split(",")) if types else None, query.get("level"))
