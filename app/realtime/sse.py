"""Server-sent events: the same rooms one-way, for a client that has a URL and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from uuid import UUID

import marshmallow as ma
from flask import Response, request

from app import green
from app.auth import identity, permissions
from app.auth.principal import Principal
from app.auth.revocations import Revocations
from app.errors import NotFound, Problem, TooMany, Unauthorized, Unavailable, Unprocessable
from app.http.attempts import Attempts
from app.http.base import Blueprint
from app.http.rate_limits import address
from app.inbox.notification import NOTIFICATION_EVENTS
from app.realtime.joins import Joins
from app.realtime.sse_codec import CODECS, Codecs, message, retry
from app.realtime.sse_connection import SseWire, SseWires, Wire
from app.realtime.sse_cursors import resume_cursor, resume_cursors
from app.realtime.sse_rooms import MAX_ROOMS, Line, composite, places_in
from app.realtime.sse_user import OwnLine, places_of, said_lately
from app.realtime.sse_user import hello as own_hello
from app.services import Services, services
from app.stream.burst import Filter
from app.stream.event import BROADCAST, EVENT_TYPE, LEVELS, task_stream
from app.stream.hub import Hub
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
    cursor = resume_cursor(query, default=0)
    return serve(
        lambda principal: [task_stream(permissions.readable_task(principal, str(task_id)))],
        lambda names: [cursor],
        filter_of(query),
    )


@blp.get("/events/stream")
@blp.arguments(StreamQuery, location="query")
@blp.response(200)
def events_stream(query: dict[str, str]) -> Response:
    """What happens to the caller's tasks, the caller's notifications and what everybody is told: live, or from a cursor
    on."""
    return serve_own(query, filter_of(query))


@blp.get("/notifications/stream")
@blp.arguments(NotificationQuery, location="query")
@blp.response(200)
def notifications_stream(query: dict[str, str]) -> Response:
    """The caller's notifications and announcements alone: the same streams and the same cursors, filtered."""
    refuse_switched_off()
    return serve_own(query, Filter(NOTIFICATION_EVENTS, None))


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
            stream = permissions.readable_room(principal, room)
            if begins.setdefault(stream, cursor) != cursor:
                raise Unprocessable("Two cursors", errors={"rooms": ["One room with two cursors."]})
        return sorted(begins)

    return serve(names_of, lambda names: resume_cursors(query, begins), filter_of(query), rooms=True)


def serve_own(
    query: dict[str, str], filter: Filter, codecs: Codecs = CODECS, hello: Hello | None = None
) -> Response:
    """The caller's own stream, and what everybody is told."""
    header, text = request.headers.get("Last-Event-ID", ""), query.get("since_sequence", "")
    places = places_of(header or text)
    # One part that is no sequence is refused as on every stream, by its name.
    own, everybody = places if places else (resume_cursor(query, None), None)

    def cursors_of(names: list[str]) -> list[int | None]:
        comes_back = bool(header) and everybody is None
        return [own, said_lately(services().read) if comes_back else everybody]

    return serve(
        lambda principal: [permissions.own_stream(principal), BROADCAST],
        cursors_of,
        filter,
        codecs,
        hello,
        own=True,
    )


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
    own: bool = False,
) -> Response:
    """Streams what these names name, for whoever asks. ``hello`` makes the first words where they are not the codec's;
    ``rooms`` is for several names on one connection, ``own`` for a user's and ``broadcast``."""
    parts, viewers = services(), list[Viewer]()
    try:
        parts[Attempts].arrived(address())
        with parts[Attempts].trying(address()) as by, parts[Joins].joining():
            principal = identity.current(allow_ticket=True, lasts=True)
            by(principal.user_id)
            names = names_of(principal)
            cursors = cursors_of(names)
            if request.method == "HEAD":
                return _response(iter(()))
            for name, cursor in zip(names, cursors, strict=True):
                viewers.append(parts[Hub].watch(name, cursor, filter, principal.session_id))
        if principal.session_id in parts[Revocations]:  # signed out since it was asked
            raise Unauthorized("The session has ended; sign in again")
        if all(v.room.closed and v.cursor == v.room.head and not v.resync for v in viewers):
            _close(viewers)
            _came_back(parts, "finished")
            return Response(status=204)
        parts[Joins].admit(principal.user_id)
        _came_back(parts, "resync" if any(v.resync for v in viewers) else "resumed")
        plain, chunked = codecs
        codec = chunked if request.environ["SERVER_PROTOCOL"] == "HTTP/1.1" else plain
        if rooms:
            line = partial(Line, plain=codec, viewers=viewers)
            return _handed_over(parts, viewers, principal, partial(_hello_of_rooms, viewers), line)
        first = viewers[0]
        words = partial(hello or codec.hello, first, principal)
        if own:
            since = cursors[1]
            greeting = partial(own_hello, words, viewers[1], since)
            own_line = partial(OwnLine, plain=codec, viewers=viewers, inner=plain, since=since)
            return _handed_over(parts, viewers, principal, greeting, own_line)
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
        parts[SseWires].reconnections[how] += 1


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
        parts[SseWires].add(wire(parts[SseWires], taken, principal=principal))

    def unless_handed_over() -> None:
        if viewers[0].wire is None:  # the client went while it was answered
            for viewer in viewers:
                viewer.close("gone")
            parts[Joins].leave(principal.user_id)

    response = _response(body())
    response.call_on_close(unless_handed_over)
    return response


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
