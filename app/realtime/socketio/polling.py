"""The polls and posts of an Engine.IO session by HTTP, instead of the library's own handling.

The library answers an unreadable post with 200, gives packets to a poll whose client is gone, and from the first byte
of an upgrade on answers polls with nothing but NOOPs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import parse_qs

from app.realtime.socketio import engineio_adapter
from app.realtime.socketio.engineio_adapter import ANSWER_PACKETS, SocketIsClosedError
from app.realtime.socketio.reader import MESSAGE_LIMIT, UNAUTHENTICATED_BYTES

POST_PACKETS = 128  # a client that comes back joins 64 rooms, and its streams, in one post
LOOK_SECONDS = 5.0  # how often a poll checks whether its client is still there
UPGRADING_SECONDS = 0.25  # a client that upgrades waits for the end of its last poll


class Polling:
    """``unauthenticated`` returns whether the session has not signed in; ``drop`` closes it for a reason."""

    def __init__(
        self, session: Any, unauthenticated: Callable[[], bool], drop: Callable[[str], None]
    ) -> None:
        self._session, self._unauthenticated, self._drop = session, unauthenticated, drop
        self._unauthenticated_bytes = 0
        self._waits = False  # a poll is waiting for packets

    def get(self, environ: dict[str, Any], start_response: Any) -> Any:
        if transport(environ) == "websocket":
            return engineio_adapter.upgrade(self._session, environ, start_response)
        if self._waits:  # two polls would share the packets
            engineio_adapter.say_goodbye(self._session)
            raise SocketIsClosedError
        if engineio_adapter.is_overdue(self._session):
            self._end()
        self._waits = True
        try:
            return self._poll(environ)
        finally:
            self._waits = False

    def _poll(self, environ: dict[str, Any]) -> list[Any]:
        """Waits for packets and returns those that are there. Raises SocketIsClosedError when the client is gone."""
        session = self._session
        late = time.monotonic() + engineio_adapter.silence(session)
        while True:
            if session.upgraded:
                return [engineio_adapter.noop()]
            first = engineio_adapter.next_packet(
                session, UPGRADING_SECONDS if session.upgrading else LOOK_SECONDS
            )
            if engineio_adapter.has_gone(environ):
                # The packet is lost, and the client does not poll here again: it comes back with its cursor.
                self._end()
            if first is not engineio_adapter.NOTHING:
                return engineio_adapter.and_the_rest(session, first, ANSWER_PACKETS)
            if session.upgrading:
                return [engineio_adapter.noop()]
            if time.monotonic() > late:
                self._end()

    def _end(self) -> NoReturn:
        engineio_adapter.end(self._session)
        raise SocketIsClosedError

    def post(self, environ: dict[str, Any]) -> None:
        """Receives the packets. For what cannot be read it closes the session and raises SocketIsClosedError, which is
        answered by 400."""
        body = self._read(environ)
        try:
            packets = engineio_adapter.packets(body, POST_PACKETS)
        except (ValueError, LookupError, RecursionError):
            self._refuse("posts no packets")
        for packet in packets:
            self._session.receive(packet)
            if self._session.closed and not engineio_adapter.is_goodbye(packet):
                raise SocketIsClosedError

    def _read(self, environ: dict[str, Any]) -> bytes:
        limit = MESSAGE_LIMIT
        if self._unauthenticated():
            limit = UNAUTHENTICATED_BYTES - self._unauthenticated_bytes
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            length = limit + 1
        elif length > limit:
            self._refuse("posts too much")
        try:
            body: bytes = environ["wsgi.input"].read(length) if length else b""
        except (OSError, ValueError):  # it was cut off, or its chunks are malformed
            self._refuse("posts what cannot be read")
        if len(body) > limit:
            self._refuse("posts too much")
        self._unauthenticated_bytes = (
            self._unauthenticated_bytes + len(body) if self._unauthenticated() else 0
        )
        return body

    def _refuse(self, why: str) -> NoReturn:
        self._drop(why)
        raise SocketIsClosedError


def transport(environ: dict[str, Any]) -> str:
    """Returns the transport that the request names; empty when it names none."""
    return str(parse_qs(environ.get("QUERY_STRING", "")).get("transport", [""])[0])
