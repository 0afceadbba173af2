"""Answers an SSE request: admits its viewers, sends the first message and hands the socket to the hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from flask import Response, request

from app import green
from app.auth import access_log, identity
from app.auth.principal import Principal
from app.auth.revocations import Revocations
from app.errors import NotFound, TooMany, Unauthorized, Unavailable
from app.http.attempts import ConnectionAttempts
from app.http.problems import problem_of
from app.http.rate_limits import address
from app.realtime.connection_limits import ConnectionLimits
from app.realtime.sse_codec import CODECS, Codecs, SseCodec, message, retry
from app.realtime.sse_connection import OneRoomConnection, SseConnection
from app.realtime.sse_cursors import composite
from app.realtime.sse_registry import SseRegistry
from app.realtime.sse_rooms import ManyRoomsConnection
from app.realtime.sse_user import UserCodec
from app.realtime.sse_user import hello as hello_of_user
from app.services import Services, services
from app.stream.codec import Filter
from app.stream.hub import Hub
from app.stream.store import NoSuchStream
from app.stream.viewer import Viewer

PATIENCE_SECONDS = 10  # that a client which came too often waits, at least
Hello = Callable[[Viewer, Principal], bytes]


@dataclass(frozen=True, slots=True)
class Opened:
    """An admitted request: its viewers, with the cursors that the client gave, and the codecs without chunks and of its
    connection. ``hello`` makes the first message, unless the kind of connection has one of its own."""

    principal: Principal
    viewers: Sequence[Viewer]
    cursors: Sequence[int | None]
    plain: SseCodec
    codec: SseCodec
    hello: Hello | None

    def first_message(self) -> bytes:
        return (self.hello or self.codec.hello)(self.viewers[0], self.principal)


class ConnectionPlan(NamedTuple):
    """``hello`` makes the first message; ``make(registry, socket, principal=…)`` the connection."""

    hello: Callable[[], bytes]
    make: Callable[..., SseConnection]


Kind = Callable[[Opened], ConnectionPlan]


def one_room(opened: Opened) -> ConnectionPlan:
    make = partial(OneRoomConnection, codec=opened.codec, viewer=opened.viewers[0])
    return ConnectionPlan(opened.first_message, make)


def many_rooms(opened: Opened) -> ConnectionPlan:
    make = partial(ManyRoomsConnection, codec=opened.codec, viewers=opened.viewers)
    return ConnectionPlan(partial(_hello_of_rooms, opened.viewers), make)


def own_streams(opened: Opened) -> ConnectionPlan:
    """Of a user's stream and ``broadcast``, in this order."""
    since = opened.cursors[1]
    room_codec = partial(UserCodec, inner=opened.plain, since=since)
    make = partial(ManyRoomsConnection, codec=opened.codec, viewers=opened.viewers, room_codec=room_codec)
    return ConnectionPlan(partial(hello_of_user, opened.first_message, opened.viewers[1], since), make)


def serve(
    names_of: Callable[[Principal], list[str]],
    cursors_of: Callable[[list[str]], Sequence[int | None]],
    filter: Filter,
    codecs: Codecs = CODECS,
    hello: Hello | None = None,
    kind: Kind = one_room,
) -> Response:
    """Answers with the streams of these names, after the request is authenticated. ``hello`` makes the first message
    instead of the codec."""
    parts, viewers = services(), list[Viewer]()
    try:
        principal, cursors = _watch(parts, viewers, names_of, cursors_of, filter)
        if request.method == "HEAD":
            return _response(iter(()))
        if all(v.room.closed and v.cursor == v.room.head and not v.resync for v in viewers):
            _close(parts, viewers, "finished")
            return Response(status=204)
        parts[ConnectionLimits].admit(principal.user_id)
        _came_back(parts, "resync" if any(v.resync for v in viewers) else "resumed")
        plain, chunked = codecs
        codec = chunked if request.environ["SERVER_PROTOCOL"] == "HTTP/1.1" else plain
        opened = Opened(principal, viewers, cursors, plain, codec, hello)
        return _handed_over(parts, opened, kind(opened))
    except NoSuchStream:
        _close(parts, viewers, "refused")
        raise NotFound("There is no such task") from None
    except Exception as error:
        answer = _sent_away(parts, viewers, error)
        if answer is None:
            raise
        return answer


def _watch(
    parts: Services,
    viewers: list[Viewer],
    names_of: Callable[[Principal], list[str]],
    cursors_of: Callable[[list[str]], Sequence[int | None]],
    filter: Filter,
) -> tuple[Principal, Sequence[int | None]]:
    """Authenticates the request and adds its viewers, none for HEAD; the caller closes them, also after an error."""
    limits = parts[ConnectionLimits]
    parts[ConnectionAttempts].arrived(address())
    with parts[ConnectionAttempts].trying(address()) as set_user:
        principal = identity.of_stream(limits.identifying)
        set_user(principal.user_id)
        with limits.queue:
            names = names_of(principal)
            cursors = cursors_of(names)
            if request.method != "HEAD":
                for name, cursor in zip(names, cursors, strict=True):
                    viewers.append(parts[Hub].watch(name, cursor, filter, principal.session_id))
    if viewers and principal.session_id in parts[Revocations]:  # signed out while Postgres was asked
        raise Unauthorized("The session has ended; sign in again")
    return principal, cursors


def _sent_away(parts: Services, viewers: Sequence[Viewer], error: Exception) -> Response | None:
    """Closes the viewers. Returns the answer for an EventSource that may come back, None where the error has to be
    raised."""
    problem = problem_of(error)
    passes = isinstance(problem, (Unavailable, TooMany))
    _close(parts, viewers, "sent_away" if passes else "refused")
    if not passes or "text/event-stream" not in request.headers.get("Accept", ""):
        return None
    if problem is error:
        access_log.refused(problem)
    # A 503 or 429 would end a native EventSource for good; this makes it come back.
    seconds = PATIENCE_SECONDS if isinstance(problem, TooMany) else 1
    return _response(iter((retry(seconds) + b"\n",)))


def _came_back(parts: Services, how: str) -> None:
    if request.headers.get("Last-Event-ID"):
        parts[SseRegistry].reconnections.labels(how).inc()


def _close(parts: Services, viewers: Sequence[Viewer], how: str) -> None:
    for viewer in viewers:
        viewer.close()
    _came_back(parts, how)


def _hello_of_rooms(viewers: Sequence[Viewer]) -> bytes:
    at = {v.room.stream: {"cursor": v.cursor, "head": v.room.head} for v in viewers}
    return message("connected", {"rooms": at}, composite(list(at), [v.cursor for v in viewers]))


def _handed_over(parts: Services, opened: Opened, connection: ConnectionPlan) -> Response:
    """Lets the HTTP server send the first message; then the hub has the socket, and this greenlet ends."""
    environ = request.environ

    def body() -> Iterator[bytes]:
        yield retry() + connection.hello()
        taken = green.take_over(environ)
        parts[SseRegistry].add(connection.make(parts[SseRegistry], taken, principal=opened.principal))

    def unless_handed_over() -> None:
        if opened.viewers[0].wire is None:  # the client went away before
            for viewer in opened.viewers:
                viewer.close("gone")
            parts[ConnectionLimits].release(opened.principal.user_id)

    response = _response(body())
    response.call_on_close(unless_handed_over)
    return response


def _response(body: Iterator[bytes]) -> Response:
    response = Response(body)
    response.headers["Content-Type"] = "text/event-stream"  # exactly: mimetype= would add a charset
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    # The server itself adds this header for a client that sent it; it must not come twice.
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1" and "Connection" not in request.headers:
        response.headers["Connection"] = "keep-alive"
    return response
