"""The event stream format of the HTML standard, section 9.2, as bytes; ``id`` is the sequence."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import orjson

from app.auth.principal import Principal
from app.stream.event import Event
from app.stream.resync import Resync
from app.stream.viewer import Viewer


class SseCodec:
    """``chunked`` for HTTP/1.1: one chunk an event, so that a batch can be cut between any two events."""

    shared, one_frame = True, False
    keepalive_every = 1  # intervals of the timer
    sends_comments = False  # every few seconds, besides keep-alives
    counts_connections = False  # whether keep-alives hold the number of the user's connections

    def __init__(self, chunked: bool) -> None:
        self.chunked = chunked
        # No blank line: with one, a common client makes an empty event of it.
        self.keepalive = self._chunk(b":\n")
        self.closing = b"0\r\n\r\n" if chunked else b""

    def hello(self, viewer: Viewer, principal: Principal) -> bytes:
        """The first message. The HTTP server sends it, so it is in no chunk of ours."""
        stream, head = viewer.room.stream, viewer.room.head
        place = {"stream": stream, "cursor": viewer.cursor, "head": head}
        return message("connected", place, viewer.cursor)

    def frame(self, event: Event) -> bytes:
        return self._chunk(f"id: {event.sequence}\nevent: {event.type}\ndata: {event.payload}\n\n".encode())

    def join(self, frames: Sequence[Any]) -> bytes:
        return b"".join(frames)

    def resync(self, resync: Resync) -> bytes:
        return self.control("resync", resync.message(), resync.cursor)

    def end(self, stream: str, last: Event | None, cursor: int) -> bytes:
        return self.control("end", ending(stream, last), cursor)

    def quiet(self, viewer: Viewer, cursor: int, connections: int) -> bytes:
        """The keep-alive; a filtered viewer's has the cursor up to which no other event passed. ``connections`` is how
        many the user has."""
        return (
            self.control("heartbeat", {"stream": viewer.room.stream}, cursor)
            if viewer.filter
            else self.keepalive
        )

    def farewell(self, reason: str, stream: str) -> bytes:
        """The last bytes of a connection, for a client that is still there."""
        if reason == "gone":
            return b""
        if reason == "expired":
            return self.control("token_expired", {"stream": stream}) + self.closing
        return self.closing if reason == "ended" else self._chunk(retry() + b"\n") + self.closing

    def control(self, type: str, data: dict[str, Any], cursor: int | None = None) -> bytes:
        return self._chunk(message(type, data, cursor))

    def _chunk(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data


def message(type: str, data: dict[str, Any], cursor: int | str | None = None) -> bytes:
    """Encodes a message that has no sequence; ``cursor`` is where a client that saw no event yet resumes."""
    position = "" if cursor is None else f"id: {cursor}\n"
    return f"{position}event: {type}\ndata: {orjson.dumps(data).decode()}\n\n".encode()


def retry(seconds: int = 1) -> bytes:
    """Tells a client that is cut to wait that long, up to three times: thousands shall not come back together."""
    return f"retry: {random.randint(seconds * 1_000, seconds * 3_000)}\n".encode()


def ending(stream: str, last: Event | None) -> dict[str, Any]:
    """Returns how the stream ended, from the last event of its task."""
    return {"stream": stream, "status": last.decoded().get("status") if last else None}


Codecs = tuple[SseCodec, SseCodec]  # without chunks and with
CODECS = PLAIN, CHUNKED = SseCodec(chunked=False), SseCodec(chunked=True)
