"""The Socket.IO server: sockets connect, are signed out and expire; their events are answered."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import marshmallow as ma
from flask import Flask, request
from flask_socketio import ConnectionRefusedError, SocketIO
from werkzeug.routing import Rule

from app import green
from app.auth import access_log, identity
from app.auth.key_watch import KeyWatch
from app.auth.principal import Principal
from app.auth.revocations import Revocations
from app.auth.sign_out import SignOut
from app.errors import Forbidden, Problem, Unauthorized, Unavailable
from app.errors.survived import survived
from app.http.attempts import ConnectionAttempts, RateExceeded
from app.http.problems import problem_of, problem_response
from app.http.rate_limits import address
from app.observability.metrics import Metrics, Row
from app.periodic import Periodic
from app.realtime.connection_limits import ConnectionLimits
from app.realtime.socketio import engineio_adapter, selfcheck
from app.realtime.socketio.acknowledgements import acknowledged
from app.realtime.socketio.engine import Engine
from app.realtime.socketio.foreign import ForeignEmits
from app.realtime.socketio.limits import Floods, StrictPacket
from app.realtime.socketio.reader import MESSAGE_LIMIT
from app.realtime.socketio.rooms import Rooms, SocketClient, forget_viewer
from app.realtime.socketio.wire import SocketWire
from app.realtime.unauthenticated import UnauthenticatedSockets
from app.services import Services
from app.stream.background import with_pauses
from app.stream.message import Channels
from app.stream.viewer import Viewer

logger = logging.getLogger("taskroom.sockets")

EXPIRED_AT_ONCE = 20  # sockets; a crowd that signed in together expires together
ENDPOINT = "socketio"  # the library answers before Flask does


class RefreshTokenSchema(ma.Schema):
    token = ma.fields.String(required=True, validate=ma.validate.Length(1, 8192))


def init_app(app: Flask, parts: Services) -> SocketIO:
    socketio = SocketIO(
        app,
        async_mode="eventlet" if green.patched() else "threading",
        message_queue=parts.config.redis_url,
        channel=Channels(parts.config.redis_url).socketio,
        cors_allowed_origins=_origins(parts),
        max_http_buffer_size=MESSAGE_LIMIT,
        ping_interval=parts.config.ping_seconds,
        serializer=StrictPacket,
        namespaces="*",  # all are known, so that those without a handler are refused as the protocol has it
        http_compression=False,
        manage_session=False,
    )
    _name_path(app)
    engine = Engine(
        *(socketio.server.eio, parts.config.process, parts.config.websocket_compression),
        direct=selfcheck.direct(),
        upgrade_seconds=parts.config.upgrade_seconds,
    )

    def refuse(error: Problem) -> Any:
        with app.app_context():
            return problem_response(error.status, error.title, error.detail, headers=error.headers)

    floods = Floods(
        socketio.server, engine, parts[UnauthenticatedSockets], parts[ConnectionAttempts].arrived, refuse
    )
    Sockets(parts, socketio, engine, floods).register()
    return socketio


def _name_path(app: Flask) -> None:
    """Makes the path of the sockets known to Flask. Each event of a socket is handled as a request of that path; for an
    unknown path Flask keeps the error, whose traceback holds the request, and each event would leave seventy objects to
    the garbage collector."""
    for websocket, methods in ((False, ["GET", "POST"]), (True, ["GET"])):
        app.url_map.add(Rule("/socket.io/", endpoint=ENDPOINT, methods=methods, websocket=websocket))


def _origins(parts: Services) -> Callable[[str | None, dict[str, Any]], bool]:
    """Allows the page's own origin and the configured ones. The library's own check would trust X-Forwarded-Host."""

    def allowed(origin: str | None, environ: dict[str, Any]) -> bool:
        """The library asks once about an origin that is refused, and about requests without one too."""
        if origin in parts.config.cors_origins:
            return True
        if identity.same_host(origin or "", environ.get("HTTP_HOST", "")):
            return True
        if origin:
            refusal = Forbidden("This origin may not open a socket")
            access_log.handshake_refused(access_log.client_of(environ), refusal)
        return False

    return allowed


class Sockets:
    def __init__(self, parts: Services, socketio: SocketIO, engine: Engine, floods: Floods) -> None:
        self._parts, self._io, self._engine, self._floods = parts, socketio, engine, floods
        self._rooms = Rooms(parts)
        self._foreign = ForeignEmits(socketio.server.manager)
        self._clients: dict[str, SocketClient] = {}
        self._expiry = Periodic("expiry", 1.0, self._end_expired)

    def register(self) -> None:
        self._io.on_event("connect", self.connect)
        self._io.on_event("disconnect", self.disconnect)
        self._io.server.on("connect", _no_namespace, namespace="*")
        for name, schema, handler in (
            *self._rooms.events(),
            ("refresh_token", RefreshTokenSchema(), self.refresh_token),
        ):
            self._io.on_event(name, acknowledged(name, schema, handler, self._clients.get))
        self._parts[SignOut].closers.append(self.end_session)
        self._parts[KeyWatch].transports.append(self)
        self._parts.stops.append(self._engine.drain)
        self._parts[Metrics].sources.append(self.measures)

    def measures(self) -> Iterator[Row]:
        yield "socketio_connections", "Sockets that have signed in", len(self._clients)
        unauthenticated = len(self._parts[UnauthenticatedSockets])
        yield "socketio_strangers", "Sockets that have not signed in", unauthenticated
        yield (
            "socketio_direct",
            "0 when all go by the library's own emit, which is slower",
            self._engine.direct,
        )
        yield "socketio_joins_total", "Rooms joined", self._rooms.joined
        yield (
            "socketio_foreign_dropped_total",
            "What other emitters sent into streams, where it reaches nobody",
            self._foreign.dropped,
        )
        yield "socketio_packets_received_total", "Engine.IO packets from clients", self._floods.packets
        yield "socketio_dropped_total", "Sockets closed for what they sent or did not", self._floods.dropped

    def connect(self, credentials: Any = None) -> None:
        sid = request.sid  # type: ignore[attr-defined]
        viewers: dict[str, Viewer] = {}
        session = engineio_adapter.engine_session(self._io.server, sid)
        batch = isinstance(credentials, dict) and credentials.get("batch") is True
        wire = SocketWire(self._engine, session, partial(forget_viewer, viewers), batch)
        limits = self._parts[ConnectionLimits]
        try:
            with self._parts[ConnectionAttempts].trying(address()) as set_user:
                principal = identity.of_handshake(credentials, limits.identifying)
                client = SocketClient(sid, wire, principal, viewers)
                set_user(user_id := principal.user_id)
            if self._engine.draining:  # it connected while the transports of the others were closed
                raise Unavailable("This process ends; come back")
            if wire.gone:  # while it waited to join: the library would report no disconnect
                raise Unavailable("The socket has gone")
            limits.admit(user_id)
            self._clients[sid] = client
            if client.principal.session_id in self._parts[Revocations]:  # signed out since it was checked
                self._clients.pop(sid)
                limits.release(user_id)
                raise Unauthorized("The session has ended; sign in again")
        except Exception as error:
            problem = problem_of(error)
            if problem is error:
                access_log.event_refused("connect", problem)
            elif not isinstance(problem, Unavailable):
                survived(logger, error, "a socket could not be connected")
            if isinstance(problem, Unavailable | RateExceeded):  # it may come back
                self._floods.close(session)
            raise ConnectionRefusedError(problem.detail) from None
        self._floods.signed_in(session, access_log.user_of(client.principal))
        self._expiry.start()

    def disconnect(self, *_: Any) -> None:
        client = self._clients.pop(request.sid, None)  # type: ignore[attr-defined]
        if client:
            client.close()
            self._parts[ConnectionLimits].release(client.principal.user_id)
            self._floods.signed_out(client.wire.session_id)

    def refresh_token(self, client: SocketClient, data: dict[str, Any]) -> dict[str, Any]:
        principal = identity.principal_of(data["token"], "read", shared=True)
        access_log.concerns_caller(client.principal)  # not the new token's
        if not principal.has_rights_of(client.principal):
            raise Unauthorized("This token is another user's, or gives other rights; connect with it")
        client.principal = principal
        for viewer in list(client.viewers.values()):
            viewer.session_id = principal.session_id
        if principal.session_id in self._parts[Revocations]:  # signed out since it was checked
            self._disconnect(client)
            raise Unauthorized("The session has ended; sign in again")
        # A key need not expire, and JSON has no infinity.
        expires_at = principal.expires_at if math.isfinite(principal.expires_at) else None
        return {"ok": True, "expires_at": expires_at}

    def end_session(self, session_id: str) -> None:
        """Disconnects the session's sockets, after which a client does not come back by itself."""
        for client in list(self._clients.values()):
            if client.principal.session_id == session_id:
                try:
                    self._disconnect(client)
                except Exception:  # one socket's fault must not keep the others of the session open
                    logger.exception("a socket whose session has ended could not be closed")

    def principals_of_keys(self) -> set[Principal]:
        found = [client.principal for client in self._clients.values() if client.principal.is_stored]
        return set(with_pauses(found))

    def close_of(self, principal: Principal) -> None:
        """Closes the transports of the principal's sockets, so that their clients come back."""
        for client in list(self._clients.values()):
            if client.principal == principal:
                client.close()
                self._floods.drop(client.wire.session_id, "has other rights than it was opened with")

    def _disconnect(self, client: SocketClient) -> None:
        client.close()
        self._io.server.disconnect(client.sid)

    def _end_expired(self) -> None:
        """Ends the sockets whose token has expired, unless it was renewed."""
        at = time.time()
        over = [of for of in self._clients.values() if of.principal.expires_at <= at]
        for client in with_pauses(over, EXPIRED_AT_ONCE):
            # It may have been renewed while other threads ran.
            if client.principal.expires_at <= at:
                self._expire(client)

    def _expire(self, client: SocketClient) -> None:
        try:
            client.wire.control("token_expired", {})
            self._disconnect(client)
        except Exception:  # one socket's fault must not end the timer of all
            logger.exception("a socket whose token expired could not be closed")


def _no_namespace(*_: Any) -> None:
    raise ConnectionRefusedError("Invalid namespace")
