"""A session of Engine.IO by HTTP: its polls and posts, in place of the library's.

The library answers a post that it cannot read with 200, gives packets to a poll whose client has gone, and nothing but
NOOPs to polls from the first byte of an upgrade on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import parse_qs

from app.realtime.socketio import engineio_adapter
from app.realtime.socketio.engineio_adapter import ANSWER_PACKETS, SocketIsClosedError
from app.realtime.socketio.reader import MESSAGE_LIMIT, STRANGER_BYTES

POST_PACKETS = 128  # a client that comes back joins 64 rooms, and the streams, in one post
LOOK_SECONDS = 5.0  # how often a poll looks whether its client is still there
UPGRADING_SECONDS = 0.25  # a client that upgrades waits for the end of its last poll


class Polling:
    """``stranger`` says whether the session has not signed in; ``drop`` closes it, and says why."""

    def __init__(self, session: Any, stranger: Callable[[], bool], drop: Callable[[str], None]) -> None:
        self._session, self._stranger, self._drop = session, stranger, drop
        self._as_stranger = 0
        self._waits = False  # a poll for packets

    def get(self, environ: dict[str, Any], start_response: Any) -> Any:
        if transport(environ) == "websocket":
            return engineio_adapter.upgrade(self._session, environ, start_response)
        if self._waits:  # packets would go to one or the other
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
        """The packets that are there, waited for. Raises SocketIsClosedError when nobody is there any more."""
        session = self._session
        late = time.monotonic() + engineio_adapter.silence(session)
        while True:
            if session.upgraded:
                return [engineio_adapter.noop()]
            first = engineio_adapter.next_packet(
                session, UPGRADING_SECONDS if session.upgrading else LOOK_SECONDS
            )
            if engineio_adapter.has_gone(environ):
                # What it was to get is lost, and it will not ask here again: it comes back with its cursor.
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
        """Raises SocketIsClosedError, which is answered by 400, for what cannot be read; it closes the session."""
        body = self._read(environ)
        try:
            packets = engineio_adapter.packets(body, POST_PACKETS)
        except (ValueError, LookupError, RecursionError) as error:
            self._refuse(f"posts no packets: {str(error)[:200]}")
        for packet in packets:
            self._session.receive(packet)
            if self._session.closed and not engineio_adapter.is_goodbye(packet):
                raise SocketIsClosedError

    def _read(self, environ: dict[str, Any]) -> bytes:
        limit = MESSAGE_LIMIT
        if self._stranger():
            limit = STRANGER_BYTES - self._as_stranger
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            length = limit + 1
        elif length > limit:
            self._refuse("posts too much")
        try:
            body: bytes = environ["wsgi.input"].read(length) if length else b""
        except (OSError, ValueError):  # it broke off, or its chunks are none
            self._refuse("posts what cannot be read")
        if len(body) > limit:
            self._refuse("posts too much")
        self._as_stranger = self._as_stranger + len(body) if self._stranger() else 0
        return body

    def _refuse(self, why: str) -> NoReturn:
        self._drop(why)
        raise SocketIsClosedError


def transport(environ: dict[str, Any]) -> str:
    """Empty when none is named."""
    return str(parse_qs(environ.get("QUERY_STRING", "")).get("transport", [""])[0])
