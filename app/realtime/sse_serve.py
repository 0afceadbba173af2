"""Answers an SSE request: admits its viewers, sends the first message and hands the socket to the hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from flask import Response, request

from app import green
from app.auth import access_log, identity
from app.auth.principal import Principal
from app.auth.revocations import Revocations
from app.errors import NotFound, TooMany, Unauthorized, Unavailable
from app.http.attempts import ConnectionAttempts
from app.http.problems import problem_of
from app.http.rate_limits import address
from app.realtime.joins import Joins
from app.realtime.sse_codec import CODECS, Codecs, message, retry
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


def serve(
    names_of: Callable[[Principal], list[str]],
    cursors_of: Callable[[list[str]], Sequence[int | None]],
    filter: Filter,
    codecs: Codecs = CODECS,
    hello: Hello | None = None,
    rooms: bool = False,
    own: bool = False,
) -> Response:
    """Answers with the streams of these names, after the request is authenticated. ``hello`` makes the first message
    instead of the codec; ``rooms`` is for many streams on one connection, ``own`` for a user's and ``broadcast``."""
    parts, viewers = services(), list[Viewer]()
    try:
        parts[ConnectionAttempts].arrived(address())
        with parts[ConnectionAttempts].trying(address()) as set_user, parts[Joins].queue:
            # ``names_of`` asks permissions what a share token may read.
            principal = identity.current("read", shared=True, allow_ticket=True, lasts=True)
            set_user(principal.user_id)
            names = names_of(principal)
            cursors = cursors_of(names)
            if request.method == "HEAD":
                return _response(iter(()))
            for name, cursor in zip(names, cursors, strict=True):
                viewers.append(parts[Hub].watch(name, cursor, filter, principal.session_id))
        if principal.session_id in parts[Revocations]:  # signed out while Postgres was asked
            raise Unauthorized("The session has ended; sign in again")
        if all(v.room.closed and v.cursor == v.room.head and not v.resync for v in viewers):
            _close(parts, viewers, "finished")
            return Response(status=204)
        parts[Joins].admit(principal.user_id)
        _came_back(parts, "resync" if any(v.resync for v in viewers) else "resumed")
        plain, chunked = codecs
        codec = chunked if request.environ["SERVER_PROTOCOL"] == "HTTP/1.1" else plain
        make_hello = partial(hello or codec.hello, viewers[0], principal)
        make: Callable[..., SseConnection] = partial(OneRoomConnection, codec=codec, viewer=viewers[0])
        if rooms:
            make_hello = partial(_hello_of_rooms, viewers)
            make = partial(ManyRoomsConnection, codec=codec, viewers=viewers)
        elif own:
            since = cursors[1]
            make_hello = partial(hello_of_user, make_hello, viewers[1], since)
            user_codec = partial(UserCodec, inner=plain, since=since)
            make = partial(ManyRoomsConnection, codec=codec, viewers=viewers, room_codec=user_codec)
        return _handed_over(parts, viewers, principal, make_hello, make)
    except NoSuchStream:
        _close(parts, viewers, "refused")
        raise NotFound("There is no such task") from None
    except Exception as error:
        problem = problem_of(error)
        passes = isinstance(problem, (Unavailable, TooMany))
        _close(parts, viewers, "sent_away" if passes else "refused")
        if not passes or "text/event-stream" not in request.headers.get("Accept", ""):
            raise
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


def _handed_over(
    parts: Services,
    viewers: list[Viewer],
    principal: Principal,
    hello: Callable[[], bytes],
    make: Callable[..., SseConnection],
) -> Response:
    """Lets the HTTP server send the first message; then the hub has the socket, and this greenlet ends."""
    environ = request.environ

    def body() -> Iterator[bytes]:
        yield retry() + hello()
        taken = green.take_over(environ)
        parts[SseRegistry].add(make(parts[SseRegistry], taken, principal=principal))

    def unless_handed_over() -> None:
        if viewers[0].wire is None:  # the client went away before
            for viewer in viewers:
                viewer.close("gone")
            parts[Joins].leave(principal.user_id)

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
