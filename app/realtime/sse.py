"""Server-sent events: the same rooms one-way, for a client that has a URL and nothing else.

The format is the event stream of the HTML standard, section 9.2; ``id`` is the sequence.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import marshmallow as ma
import orjson
from flask import Response, request

from app import auth
from app.api.base import MAX_SEQUENCE, Blueprint
from app.auth import Principal
from app.errors import BadRequest, NotFound, Unprocessable
from app.realtime.wire import end_message, retry_ms
from app.services import Services, services
from app.stream.event import EVENT_TYPE, LEVELS, Event, task_stream
from app.stream.store import StoreAway
from app.stream.viewer import Filter, Resync, Viewer

blp = Blueprint("streams", __name__, description="Server-sent events")

KEEPALIVE = b":\n"  # no blank line: with one, a common client makes an empty event of it


def _names(text: str) -> None:
    """Raises ValidationError unless it is a list of event types."""
    names = text.split(",")
    if len(names) > 32 or not all(EVENT_TYPE.match(name) for name in names):
        raise ma.ValidationError("Not a list of event types.")


class StreamQuery(ma.Schema):
    since_sequence = ma.fields.String(
        metadata={"description": "A sequence, or `latest` for live events only"}
    )
    types = ma.fields.String(validate=_names, metadata={"description": "log,phase_update"})
    level = ma.fields.String(validate=ma.validate.OneOf(tuple(LEVELS)))
    ticket = ma.fields.String()


def codec(event: Event) -> bytes:
    return f"id: {event.sequence}\nevent: {event.type}\ndata: {event.payload}\n\n".encode()


def control(type: str, data: dict[str, Any], cursor: int | None = None) -> bytes:
    """A message that has no sequence; ``cursor`` is where a client resumes that saw no event yet."""
    position = "" if cursor is None else f"id: {cursor}\n"
    return f"{position}event: {type}\ndata: {orjson.dumps(data).decode()}\n\n".encode()


def come_back() -> bytes:
    """The last words to a client that shall connect again."""
    return f"retry: {retry_ms()}\n\n".encode()


@blp.get("/tasks/<uuid:task_id>/stream")
@blp.arguments(StreamQuery, location="query")
@blp.response(200)
def stream(query: dict[str, str], task_id: UUID) -> Response:
    """Every event after the cursor, then live. `Last-Event-ID` beats `since_sequence`; without either
    from the first event. A client that already has the last event of a finished task gets 204."""
    cursor, parts = resume_cursor(query, default=0), services()
    try:
        principal = auth.current(allow_ticket=True)
        name = task_stream(auth.readable_task(principal, str(task_id)))
        if request.method == "HEAD":
            return _response(iter(()))
        viewer = parts.hub.watch(name, cursor, _filter(query), principal.session_id)
    except LookupError:
        raise NotFound("There is no such task") from None
    except StoreAway:
        if "text/event-stream" not in request.headers.get("Accept", ""):
            raise
        # A 503 would end a native EventSource for good; this makes it come back.
        return _response(iter((come_back(),)))
    if viewer.room.closed and viewer.cursor == viewer.room.head and not viewer.resync:
        viewer.close()
        return Response(status=204)
    return _response(frames(parts, viewer, principal))


def resume_cursor(query: dict[str, str], default: int | None) -> int | None:
    """The cursor to resume from; None means live only. Raises BadRequest or Unprocessable, naming the field."""
    header = request.headers.get("Last-Event-ID")
    if header:
        if (cursor := _sequence(header)) is None:
            raise BadRequest("Last-Event-ID is no sequence", errors={"Last-Event-ID": ["Not a sequence."]})
        return cursor
    text = query.get("since_sequence")
    if text is None:
        return default
    if text == "latest":
        return None
    if (cursor := _sequence(text)) is None:
        raise Unprocessable("since_sequence", errors={"since_sequence": ["Not a sequence, nor latest."]})
    return cursor


def _sequence(text: str) -> int | None:
    """The number, looked at before it is converted: thousands of digits would be an error of int() itself."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        return None
    return int(text) if int(text) <= MAX_SEQUENCE else None


def frames(parts: Services, viewer: Viewer, principal: Principal) -> Iterator[bytes]:
    """The body of one viewer's response; closing it ends the viewer."""
    try:
        yield f"retry: {retry_ms()}\n".encode() + control(
            "connected",
            {"stream": viewer.room.stream, "cursor": viewer.cursor, "head": viewer.room.head},
            viewer.cursor,
        )
        scanned = viewer.cursor
        while True:
            patience = min(parts.config.keepalive_seconds, principal.expires_at - time.time())
            if patience <= 0:
                yield control("token_expired", {"stream": viewer.room.stream})
                return
            try:
                batch = viewer.next(patience)
            except Resync as resync:
                yield control("resync", resync.message(), resync.cursor)
                continue
            if batch.events:
                yield b"".join([event.frame(codec) for event in batch.events])
            elif batch.ended:
                yield control("end", end_message(parts, viewer), batch.position)
                return
            elif batch.closed:
                yield come_back()
                return
            elif viewer.filter and batch.position != scanned:
                yield control("heartbeat", {"stream": viewer.room.stream}, batch.position)
            else:
                yield KEEPALIVE
            scanned = batch.position
    except StoreAway:
        yield come_back()
    finally:
        viewer.close()


def _filter(query: dict[str, str]) -> Filter:
    types = query.get("types")
    return Filter(frozenset(types.split(",")) if types else None, query.get("level"))


def _response(body: Iterator[bytes]) -> Response:
    response = Response(body)
    response.headers["Content-Type"] = "text/event-stream"  # exactly: mimetype= would add a charset
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    # The server adds this header by itself to a client that sent it, and two would be one too many.
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1" and "Connection" not in request.headers:
        response.headers["Connection"] = "keep-alive"
    return response
