"""Server-sent events: the same rooms one-way, for a client that has a URL and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from uuid import UUID

import marshmallow as ma
from flask import Response, request

from app import auth, green
from app.api.base import Blueprint
from app.auth import Principal
from app.errors import BadRequest, NotFound, Problem, TooMany, Unauthorized, Unavailable, Unprocessable
from app.limits import address
from app.notifications import NOTIFICATION_EVENTS
from app.realtime.sse_codec import CODECS, Codecs, message, retry
from app.realtime.sse_rooms import MAX_ROOMS, Line, composite, cursors_of, places_in
from app.realtime.sse_wire import SseWire, Wire
from app.services import Services, services
from app.stream.burst import Filter
from app.stream.event import EVENT_TYPE, LEVELS, MAX_SEQUENCE, task_stream
from app.stream.store import NoSuchStream, StoreAway
from app.stream.viewer import Viewer

blp = Blueprint("streams", __name__, description="Server-sent events")

PATIENCE_SECONDS = 10  # at least, for who came too often
Hello = Callable[[Viewer, Principal], bytes]


def _names(text: str) -> None:
    """Raises ValidationError unless it is a list of event types."""
    names = text.split(",")
    if len(names) > 32 or not all(EVENT_TYPE.match(name) for name in names):
        raise ma.ValidationError("Not a list of event types.")


def _rooms(text: str) -> None:
    """Raises ValidationError unless it is a list of rooms."""
    try:
        places_in(text)
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
@blp.arguments(StreamQuery, location="query")
@blp.response(200)
def stream(query: dict[str, str], task_id: UUID) -> Response:
    """Every event after the cursor, then live. `Last-Event-ID` beats `since_sequence`; without either
    from the first event. A client that already has the last event of a finished task gets 204."""
    return _stream(
        query, lambda principal: task_stream(auth.readable_task(principal, str(task_id))), default=0
    )


@blp.get("/events/stream")
@blp.arguments(StreamQuery, location="query")
@blp.response(200)
def events_stream(query: dict[str, str]) -> Response:
    """What happens to the caller's tasks, and the caller's notifications: live, or from a cursor on."""
    return _stream(query, auth.own_stream)


@blp.get("/notifications/stream")
@blp.arguments(NotificationQuery, location="query")
@blp.response(200)
def notifications_stream(query: dict[str, str]) -> Response:
    """The caller's notifications alone: the same stream and the same cursors, filtered."""
    refuse_switched_off()
    return _stream(query | {"types": ",".join(sorted(NOTIFICATION_EVENTS))}, auth.own_stream)


@blp.get("/stream")
@blp.arguments(RoomsQuery, location="query")
@blp.response(200)
def rooms_stream(query: dict[str, str]) -> Response:
    """Many rooms on one connection. Each id holds the cursor of every room; without one each begins where it says with
    `@`, else a task's room at its first event and the others live. One that the caller may not see is 404 for all."""
    begins: dict[str, int | None] = {}

    def names_of(principal: Principal) -> list[str]:
        if "rooms" not in query:  # not before it is known who asks
            raise Unprocessable("Name the rooms", errors={"rooms": ["Missing data for required field."]})
        for room, cursor in places_in(query["rooms"]):
            stream = auth.readable_room(principal, room)
            if begins.setdefault(stream, cursor) != cursor:
                raise Unprocessable("Two cursors", errors={"rooms": ["One room with two cursors."]})
        return sorted(begins)

    return serve(names_of, lambda names: _resume_cursors(query, begins), filter_of(query), rooms=True)


def _resume_cursors(query: dict[str, str], begins: dict[str, int | None]) -> list[int | None]:
    """As resume_cursor, of a composite id."""
    names = sorted(begins)
    header, text = request.headers.get("Last-Event-ID"), query.get("since_sequence")
    given = header or text
    if given is None:
        return [begins[name] for name in names]
    if not header and given == "latest":
        return [None for _ in names]
    cursors = cursors_of(given, names)
    if cursors is not None:
        return list(cursors)
    why = "No id of these rooms"
    if header:
        raise BadRequest(why, errors={"Last-Event-ID": [f"{why}."]})
    raise Unprocessable(why, errors={"since_sequence": [f"{why}, nor latest."]})


def _stream(
    query: dict[str, str], name_of: Callable[[Principal], str], default: int | None = None
) -> Response:
    cursor = resume_cursor(query, default)
    return serve(lambda principal: [name_of(principal)], lambda names: [cursor], filter_of(query))


def refuse_switched_off() -> None:
    """Raises NotFound."""
    if not services().config.sse_notifications:
        raise NotFound("Notification streams are switched off; ask for the list instead")


def serve(
    names_of: Callable[[Principal], list[str]],
    cursors_of: Callable[[list[str]], Sequence[int | None]],
    filter: Filter,
    codecs: Codecs = CODECS,
    hello: Hello | None = None,
    rooms: bool = False,
) -> Response:
    """Streams what these names name, for whoever asks. ``hello`` makes the first words where they are not the codec's;
    ``rooms`` is for several names on one connection."""
    parts, viewers = services(), list[Viewer]()
    try:
        parts.attempts.arrived(address())
        with parts.attempts.trying(address()) as by, parts.joins.joining():
            principal = auth.current(allow_ticket=True)
            by(principal.user_id)
            names = names_of(principal)
            cursors = cursors_of(names)
            if request.method == "HEAD":
                return _response(iter(()))
            for name, cursor in zip(names, cursors, strict=True):
                viewers.append(parts.hub.watch(name, cursor, filter, principal.session_id))
        if principal.session_id in parts.revocations:  # signed out since it was asked
            raise Unauthorized("The session has ended; sign in again")
        if all(v.room.closed and v.cursor == v.room.head and not v.resync for v in viewers):
            _close(viewers)
            _came_back(parts, "finished")
            return Response(status=204)
        parts.joins.admit(principal.user_id)
        _came_back(parts, "resync" if any(v.resync for v in viewers) else "resumed")
        plain, chunked = codecs
        codec = chunked if request.environ["SERVER_PROTOCOL"] == "HTTP/1.1" else plain
        if rooms:
            line = partial(Line, plain=codec, viewers=viewers)
            return _handed_over(parts, viewers, principal, partial(_hello_of_rooms, viewers), line)
        first = viewers[0]
        words = partial(hello or codec.hello, first, principal)
        return _handed_over(parts, viewers, principal, words, partial(SseWire, codec=codec, viewer=first))
    except NoSuchStream:
        _close(viewers)
        _came_back(parts, "refused")
        raise NotFound("There is no such task") from None
    except (StoreAway, Unavailable, TooMany) as error:
        _close(viewers)
        _came_back(parts, "sent_away")
        if "text/event-stream" not in request.headers.get("Accept", ""):
            raise
        # A 503 or 429 would end a native EventSource for good; this makes it come back.
        seconds = PATIENCE_SECONDS if isinstance(error, TooMany) else 1
        return _response(iter((retry(seconds) + b"\n",)))
    except Problem:
        _close(viewers)
        _came_back(parts, "refused")
        raise


def _came_back(parts: Services, how: str) -> None:
    if request.headers.get("Last-Event-ID"):
        parts.streams.reconnections[how] += 1


def _close(viewers: Sequence[Viewer]) -> None:
    for viewer in viewers:
        viewer.close()


def _hello_of_rooms(viewers: Sequence[Viewer]) -> bytes:
    at = {v.room.stream: {"cursor": v.cursor, "head": v.room.head} for v in viewers}
    return message("connected", {"rooms": at}, composite(list(at), [v.cursor for v in viewers]))


def _handed_over(
    parts: Services,
    viewers: list[Viewer],
    principal: Principal,
    hello: Callable[[], bytes],
    wire: Callable[..., Wire],
) -> Response:
    """The first words go by the server's own way; then the hub has the socket, and this greenlet ends."""
    environ = request.environ

    def body() -> Iterator[bytes]:
        yield retry() + hello()
        taken = green.take_over(environ)
        parts.streams.add(wire(parts.streams, taken, principal=principal))

    def unless_handed_over() -> None:
        if viewers[0].wire is None:  # the client went while it was answered
            for viewer in viewers:
                viewer.close("gone")
            parts.joins.leave(principal.user_id)

    response = _response(body())
    response.call_on_close(unless_handed_over)
    return response


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


def filter_of(query: dict[str, str]) -> Filter:
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
