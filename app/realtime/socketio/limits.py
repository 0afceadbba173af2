"""Limits of one socket: the rate of its packets, the size of its attachments, and the time until it signs in.

Engine.IO reads a WebSocket as fast as data comes and Socket.IO starts a task for each event, so one client could use up
all time and memory. Here its reader is made to wait, which the client notices as a full connection, or its transport is
closed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from engineio.exceptions import SocketIsClosedError
from socketio.packet import ACK, BINARY_ACK, BINARY_EVENT, EVENT, Packet

from app.auth import access_log
from app.errors import Problem
from app.http.rate_limits import address_key
from app.periodic import Periodic
from app.realtime.socketio import engineio_adapter, handshakes
from app.realtime.socketio.engine import Engine
from app.realtime.socketio.polling import Polling, transport
from app.realtime.socketio.reader import MESSAGE_LIMIT
from app.realtime.socketio.token_bucket import TokenBucket
from app.realtime.unauthenticated import UnauthenticatedSockets

logger = logging.getLogger("taskroom.sockets")

ATTACHMENTS = 4  # no event takes any; a client that sends one is answered with an error
RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting"})
BURST = 200  # packets at once: a client that comes back joins all its rooms
PER_SECOND = 50.0  # packets after that, on average
DEBT_SECONDS = 10.0  # of packets beyond that; only a polling client with many requests at a time reaches it
UNREAD = 1_000  # packets that wait for a client which sends and does not read
UNREAD_SIZE = 1_000_000  # characters of them: a batch of events with the answers beside it is less than half

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class StrictPacket(Packet):
    """Raises ValueError for packets that the library would keep, or call handlers for, without a limit."""

    def decode(self, encoded_packet: Any) -> int:
        try:
            attachments = int(super().decode(encoded_packet) or 0)
        except (LookupError, TypeError, RecursionError) as error:
            raise ValueError(f"a packet that cannot be read: {type(error).__name__}") from None
        if attachments > ATTACHMENTS:
            raise ValueError(f"{attachments} attachments")
        if self.packet_type in (EVENT, BINARY_EVENT):
            if not isinstance(self.data, list) or not self.data or not isinstance(self.data[0], str):
                raise ValueError("an event that is no list with a name")
            # The library would call the handlers of its own events, as often as a client sends them.
            if self.data[0] in RESERVED:
                raise ValueError(f"an event named {self.data[0]}")
        elif self.packet_type in (ACK, BINARY_ACK) and not isinstance(self.data, list):
            raise ValueError("an acknowledgement that is no list")
        self._bytes_left = MESSAGE_LIMIT
        return attachments

    def add_attachment(self, attachment: Any) -> bool:
        self._bytes_left -= len(attachment)
        if self._bytes_left < 0:
            raise ValueError("attachments that are too large")
        try:
            return bool(super().add_attachment(attachment))
        except (LookupError, TypeError, RecursionError) as error:
            raise ValueError(f"attachments that have no place: {type(error).__name__}") from None


class Floods:
    """Stands between ``server``, a socketio.Server, and its clients; made before the first of them connects.

    ``arrived`` counts a handshake from an address and raises TooMany; ``refuse`` makes the response for this
    error and for those of ``unauthenticated``.
    """

    def __init__(
        self,
        server: Any,
        engine: Engine,
        unauthenticated: UnauthenticatedSockets,
        arrived: Callable[[str], None],
        refuse: Callable[[Problem], Wsgi],
    ) -> None:
        self._eio, self._engine = server.eio, engine
        engine.guard = self
        self._arrived, self._refuse = arrived, refuse
        self._serve: Wsgi = server.handle_request
        server.handle_request = self._request
        self._connected, self._message, self._disconnected = engineio_adapter.handlers(server)
        self._eio.on("connect", self._on_connect)
        self._eio.on("message", self._on_message)
        self._eio.on("disconnect", self._on_disconnect)
        self._unauthenticated = unauthenticated
        self._sweeping = Periodic("unauthenticated", 1.0, self._sweep)
        self.packets = self.dropped = 0  # since the start

    def signed_in(self, session_id: str, user_id: str) -> None:
        self._unauthenticated.signed_in(session_id)
        session = self._eio.sockets.get(session_id)
        if session is not None:
            session.client.user_id = user_id

    def signed_out(self, session_id: str) -> None:
        """The session is unauthenticated again; its time to sign in starts anew."""
        session = self._eio.sockets.get(session_id)
        if session is not None and not session.closing and not session.closed:
            session.client.user_id = access_log.NOBODY
            self._unauthenticated.add(session_id, session.address)

    def unauthenticated(self, session_id: str) -> bool:
        return session_id in self._unauthenticated

    def refused(self, session_id: str, why: str) -> None:
        session = self._eio.sockets.get(session_id)
        if session is not None:
            access_log.closed(session.client, why)
        self.dropped += 1

    def _request(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        (session_id,) = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [""])[:1]
        session = self._eio.sockets.get(session_id)
        refused = handshakes.refusal(environ, transport(environ))
        if refused is not None:
            start_response(refused[0], [*refused[1], ("Content-Length", "0")])
            return []
        if transport(environ) == "websocket" and engineio_adapter.is_opening(session):
            return self._engine.turn_away(environ, start_response)  # else it would get packets of the first
        if not session_id:  # a handshake, as the library sees it
            address = _address(environ)
            try:
                self._arrived(address)
                self._unauthenticated.admit(address)
            except Problem as error:
                access_log.handshake_refused(access_log.client_of(environ), error)
                return self._refuse(error)(environ, start_response)
        elif getattr(session, "closed", False):
            # The library would fail on it; it has an answer to an unknown session.
            del self._eio.sockets[session_id]
        return self._serve(environ, partial(_not_cached, start_response))

    def _on_connect(self, session_id: str, environ: dict[str, Any]) -> Any:
        session = self._eio.sockets[session_id]
        polling = Polling(session, partial(self.unauthenticated, session_id), partial(self.drop, session_id))
        engineio_adapter.put_in(
            session,
            receive=partial(self._receive, session, session.receive, TokenBucket(BURST, PER_SECOND)),
            # Else it waits until all is sent, even to a session that cannot be read: without a poll for ever.
            close=partial(session.close, wait=False),
            get=polling.get,
            post=polling.post,
        )
        session.address, session.client = _address(environ), access_log.client_of(environ)
        self._unauthenticated.add(session_id, session.address)
        self._sweeping.start()
        return self._connected(session_id, handshakes.kept(environ))

    def _on_disconnect(self, session_id: str, reason: Any = None) -> Any:
        self._unauthenticated.remove(session_id)
        try:
            return self._disconnected(session_id, reason)
        finally:
            self._eio.sockets.pop(session_id, None)  # the library would keep it for a while

    def _receive(
        self, session: Any, receive: Callable[[Any], None], bucket: TokenBucket, packet: Any
    ) -> None:
        """Receives every packet of Engine.IO, of any type; raises SocketIsClosedError to end the reader."""
        self.packets += 1
        wait = bucket.take()
        if wait > DEBT_SECONDS or self._unread(session):
            self.drop(session.sid, "floods")
            raise SocketIsClosedError
        if wait:
            self._eio.sleep(wait)
        receive(packet)

    def _unread(self, session: Any) -> bool:
        packets = engineio_adapter.waiting(session)
        return packets > UNREAD or (packets > 0 and engineio_adapter.waiting_size(session) > UNREAD_SIZE)

    def _on_message(self, session_id: str, data: Any) -> None:
        try:
            if not data or not isinstance(data, str | bytes):  # the library decodes JSON, which is to be text
                raise ValueError("no text")
            if data[0] == "0" and data[1:2] != "/" and not self.unauthenticated(session_id):
                raise engineio_adapter.ConnectedTwice
            self._message(session_id, data)
        except ValueError:
            self.drop(session_id, "sends no packet")
        except engineio_adapter.ConnectedTwice:
            self.drop(session_id, "connects twice")
        except Exception:
            logger.exception("a packet of a socket could not be handled")
            self.drop(session_id, "sends a packet that cannot be handled")

    def _sweep(self) -> None:
        for session_id in self._unauthenticated.expired():
            try:
                self.drop(session_id, "does not sign in")
            except Exception:  # one socket's fault must not keep the others open
                logger.exception("a socket that does not sign in could not be closed")

    def drop(self, session_id: str, why: str) -> None:
        self.refused(session_id, why)
        self.close(session_id)

    def close(self, session_id: str) -> None:
        """Closes the transport without a last packet: a client that does not read would keep it open, and one that
        receives a refusal or a disconnect does not come back by itself."""
        session, websocket = self._eio.sockets.get(session_id), self._engine.websocket(session_id)
        if websocket is not None:
            engineio_adapter.shut(websocket)
        if session is not None:
            session.close(wait=False, abort=True)


def _address(environ: dict[str, Any]) -> str:
    return address_key(environ.get("REMOTE_ADDR", ""))


def _not_cached(
    start_response: Callable[..., Any], status: str, headers: Sequence[tuple[str, str]], *more: Any
) -> Any:
    """Answers to polls belong to one user, as those of REST do."""
    return start_response(status, [*headers, ("Cache-Control", "no-store")], *more)
