"""Socket.IO: rooms joined at a sequence. Viewers stand in the hub's rooms, not in the library's: what a
vanilla emitter sends to ``task:<id>`` has no sequence and reaches nobody there."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import marshmallow as ma
import orjson
from flask import Flask, request
from flask_socketio import ConnectionRefusedError, SocketIO

from app import auth, green
from app.api.base import SequenceField
from app.auth import Principal
from app.errors import Problem, TooMany, Unauthorized, Unprocessable
from app.problems import fields
from app.realtime.wire import end_message, resync_message
from app.services import Services
from app.stream.event import Event, task_stream
from app.stream.store import StoreAway
from app.stream.viewer import Resync, Viewer
from app.tasks.snapshot import current_events

logger = logging.getLogger("taskroom.sockets")

MAX_JOINED = 64
MESSAGE_LIMIT = 100_000  # bytes of one message from a client: it sends ids and tokens
QUIET_SECONDS = 60.0
DRAIN_SECONDS = 0.005
POLLING_PACKETS = 12  # and room for a ping, an acknowledgement and a control message
STALLED_SECONDS = 30.0


class JoinTask(ma.Schema):
    task_id = ma.fields.UUID(required=True)
    since_sequence = SequenceField(strict=True, allow_none=True)


class LeaveTask(ma.Schema):
    task_id = ma.fields.UUID(required=True)


class RefreshToken(ma.Schema):
    token = ma.fields.String(required=True, validate=ma.validate.Length(1, 8192))


@dataclass(slots=True, eq=False)
class Connection:
    """One socket. ``lock`` orders its joins and leaves, which the library runs side by side."""

    sid: str
    eio_sid: str
    principal: Principal
    alive: bool = True
    viewers: dict[str, Viewer] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        self.alive = False
        for viewer in self.viewers.values():
            viewer.close()
        self.viewers.clear()


def codec(event: Event) -> str:
    """The Socket.IO packet (protocol 5, type 2: event, namespace /) without encoding the payload again."""
    return f'2["{event.type}",{event.payload}]'


def init_app(app: Flask, parts: Services) -> SocketIO:
    socketio = SocketIO(
        app,
        async_mode="eventlet" if green.patched() else "threading",
        message_queue=parts.config.redis_url,
        cors_allowed_origins=_origins(parts),
        max_http_buffer_size=MESSAGE_LIMIT,
        http_compression=False,
        websocket_compression=False,
        manage_session=False,
    )
    Sockets(app, parts, socketio).register()
    return socketio


def _origins(parts: Services) -> Any:
    """The page's own origin, which the library works out when it is given none, or that and the listed ones."""
    if not parts.config.cors_origins:
        return None
    return lambda origin, environ: (
        origin in parts.config.cors_origins
        or origin == f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST')}"
    )


class Sockets:
    def __init__(self, app: Flask, parts: Services, socketio: SocketIO) -> None:
        self._app, self._parts, self._io = app, parts, socketio
        self._connections: dict[str, Connection] = {}
        self._watching = False

    def register(self) -> None:
        self._io.on_event("connect", self.connect)
        self._io.on_event("disconnect", self.disconnect)
        for name, schema, handler in (
            ("join_task", JoinTask(), self.join_task),
            ("leave_task", LeaveTask(), self.leave_task),
            ("refresh_token", RefreshToken(), self.refresh_token),
        ):
            self._io.on_event(name, self._checked(schema, handler))
        self._parts.session_enders.append(self.end_session)

    def connect(self, credentials: Any = None) -> None:
        sid = request.sid  # type: ignore[attr-defined]
        eio_sid = self._io.server.manager.eio_sid_from_sid(sid, "/")
        try:
            connection = Connection(sid, eio_sid, _principal(credentials))
        except Problem as problem:
            raise ConnectionRefusedError(problem.detail) from None
        except StoreAway:
            self._cut(eio_sid)  # a refusal would keep the client from coming back by itself
            raise ConnectionRefusedError("The database does not answer") from None
        self._connections[sid] = connection
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch_expiry, name="taskroom-expiry", daemon=True).start()

    def disconnect(self, *_: Any) -> None:
        connection = self._connections.pop(request.sid, None)  # type: ignore[attr-defined]
        if connection:
            connection.close()

    def join_task(self, connection: Connection, data: dict[str, Any]) -> dict[str, Any]:
        task_id = auth.readable_task(connection.principal, str(data["task_id"]))
        stream = task_stream(task_id)
        with connection.lock:
            joined = connection.viewers.get(stream)
            if joined:
                return {"ok": True, "task_id": task_id, "sequence": joined.room.head}
            if len(connection.viewers) >= MAX_JOINED:
                raise TooMany(f"A socket joins {MAX_JOINED} rooms at most")
            cursor: int | None = data.get("since_sequence")
            first: list[Event] = []
            if cursor is None:
                first, cursor = current_events(self._parts.read, stream)
            viewer = self._parts.hub.watch(stream, cursor, session_id=connection.principal.session_id)
            if not connection.alive:  # it went while Postgres was asked
                viewer.close()
                raise Unauthorized("The socket has gone")
            connection.viewers[stream] = viewer
        # The acknowledgement is queued first: a client must not see an event of a join it does not know of.
        green.after_this(lambda: self._io.start_background_task(self._pump, connection, viewer, first))
        return {"ok": True, "task_id": task_id, "sequence": viewer.room.head}

    def leave_task(self, connection: Connection, data: dict[str, Any]) -> dict[str, Any]:
        with connection.lock:
            viewer = connection.viewers.pop(task_stream(str(data["task_id"])), None)
        if viewer:
            viewer.close()
        return {"ok": True, "task_id": str(data["task_id"])}

    def refresh_token(self, connection: Connection, data: dict[str, Any]) -> dict[str, Any]:
        principal = auth.principal_of(data["token"])
        if principal.user_id != connection.principal.user_id:
            raise Unauthorized("This token is another user's")
        connection.principal = principal
        for viewer in connection.viewers.values():
            viewer.session_id = principal.session_id
        return {"ok": True, "expires_at": principal.expires_at}

    def end_session(self, session_id: str) -> None:
        """Signing out disconnects, which tells a client not to come back by itself."""
        for connection in list(self._connections.values()):
            if connection.principal.session_id == session_id:
                self._disconnect(connection)

    def _checked(self, schema: ma.Schema, handler: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
        """Validates what a client sent, whatever its shape; a refusal is an answer, never an exception."""

        def handle(*args: Any) -> dict[str, Any]:
            try:
                connection = self._connections.get(request.sid)  # type: ignore[attr-defined]
                if connection is None:
                    raise Unauthorized("The socket has gone")
                if len(args) != 1 or not isinstance(args[0], dict):
                    raise Unprocessable("Send one object")
                return handler(connection, schema.load(args[0]))
            except ma.ValidationError as error:
                return _refusal(Unprocessable("Refused", errors=fields(error.messages)))
            except Problem as problem:
                return _refusal(problem)
            except LookupError:
                return {"ok": False, "error": {"status": 404, "title": "Not Found"}}
            except StoreAway:
                return {"ok": False, "error": {"status": 503, "title": "Service Unavailable"}}

        return handle

    def _pump(self, connection: Connection, viewer: Viewer, first: list[Event]) -> None:
        """Carries one viewer's events onto its socket, as fast as that takes them."""
        try:
            if self._send(connection, [event.frame(codec) for event in first]):
                while self._step(connection, viewer):
                    pass
        except StoreAway as error:
            # The transport is closed, so that the client comes back by itself and resumes.
            logger.warning("%s cannot be read back, its viewer is cut: %s", viewer.room.stream, error)
            self._cut(connection.eio_sid)
        finally:
            viewer.close()
            if connection.viewers.get(viewer.room.stream) is viewer:
                del connection.viewers[viewer.room.stream]

    def _step(self, connection: Connection, viewer: Viewer) -> bool:
        try:
            batch = viewer.next(QUIET_SECONDS)
        except Resync as resync:
            self._control(connection, "resync", resync_message(resync))
            return True
        if batch.closed:
            if batch.closed == "draining":
                self._cut(connection.eio_sid)
            return False
        if batch.ended:
            self._control(connection, "end", end_message(self._parts, viewer))
            return False
        return self._send(connection, [event.frame(codec) for event in batch.events])

    def _send(self, connection: Connection, frames: list[str]) -> bool:
        """Queues what the client takes, and waits until it did: the library's own queue knows no bound."""
        eio = self._io.server.eio
        start = 0
        while start < len(frames):
            socket = eio.sockets.get(connection.eio_sid)
            if socket is None or not self._drained(connection, socket):
                return False
            # The Python client refuses a long-polling answer of more than sixteen packets.
            stop = len(frames) if socket.upgraded else start + POLLING_PACKETS
            for frame in frames[start:stop]:
                eio.send(connection.eio_sid, frame)
            start = stop
        return True

    def _control(self, connection: Connection, type: str, data: dict[str, Any]) -> None:
        """By the way of the events, so in their order; the library's emit would go through Redis."""
        self._io.server.eio.send(connection.eio_sid, f'2["{type}",{orjson.dumps(data).decode()}]')

    def _drained(self, connection: Connection, socket: Any) -> bool:
        limit = time.monotonic() + STALLED_SECONDS
        while connection.alive and not socket.closed:
            if socket.queue.qsize() == 0:
                return True
            if time.monotonic() > limit:
                logger.info("a viewer that took nothing for %.0f s is cut", STALLED_SECONDS)
                self._cut(connection.eio_sid)
                return False
            self._io.sleep(DRAIN_SECONDS)
        return False

    def _cut(self, eio_sid: str) -> None:
        """Closes the transport only: clients come back from that by themselves, from a disconnect never."""
        socket = self._io.server.eio.sockets.get(eio_sid)
        if socket is not None:
            socket.close(wait=False)

    def _disconnect(self, connection: Connection) -> None:
        connection.close()
        self._io.server.disconnect(connection.sid)

    def _watch_expiry(self) -> None:
        """One timer for all sockets: a token that expires ends its socket unless it was renewed."""
        while True:
            self._io.sleep(1.0)
            at = time.time()
            for connection in list(self._connections.values()):
                if connection.principal.expires_at <= at:
                    self._control(connection, "token_expired", {})
                    self._disconnect(connection)


def _principal(credentials: Any) -> Principal:
    """Who connects: the token or ticket of the handshake, else what the HTTP request brings. Raises Unauthorized."""
    given = credentials if isinstance(credentials, dict) else {}
    if isinstance(given.get("token"), str) and given["token"]:
        return auth.principal_of(given["token"])
    if isinstance(given.get("ticket"), str):
        return auth.use_ticket(given["ticket"])
    return auth.current()


def _refusal(problem: Problem) -> dict[str, Any]:
    error: dict[str, Any] = {"status": problem.status, "title": problem.title, "detail": problem.detail}
    if problem.errors:
        error["errors"] = problem.errors
    return {"ok": False, "error": error}
