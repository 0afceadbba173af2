"""A user's own stream, and what everybody is told, on one connection: whoever speaks to all speaks to each user.

An id is the sequence of the user's stream. From the first event of ``broadcast`` on it has that one's behind a dot too,
so that a client that knows of no second stream resumes both. One that was told of none comes back with a bare sequence;
it is told what was said since a while ago, which it cannot have heard.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence

from app.auth.principal import Principal
from app.realtime.sse_codec import SseCodec
from app.realtime.sse_registry import SseRegistry
from app.realtime.sse_rooms import RoomCodec, SharedSseConnection
from app.stream.event import BROADCAST, MAX_SEQUENCE, Event
from app.stream.single_flight import SingleFlight
from app.stream.store import Connect
from app.stream.viewer import Viewer

LOOK_BACK_SECONDS = 900
LOOK_BACK_EVENTS = 100
_ID = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,19}))?\Z", re.ASCII)
_since: SingleFlight[int | None] = SingleFlight()  # a crowd that comes back asks once


def places_of(id: str) -> tuple[int, int | None] | None:
    """The cursors in an id; None when it is none. Without the second nothing of ``broadcast`` was heard."""
    match = _ID.match(id)
    if match is None:
        return None
    own, everybody = int(match[1]), None if match[2] is None else int(match[2])
    return (own, everybody) if max(own, everybody or 0) <= MAX_SEQUENCE else None


def said_lately(read: Connect) -> int | None:
    """The cursor from which on ``broadcast`` said something within that time; None when it did not."""
    return _since(BROADCAST, lambda: _said_lately(read))


def _said_lately(read: Connect) -> int | None:
    with read() as conn, conn.cursor() as cur:
        cur.execute(
            """SELECT min(seq) - 1 FROM (SELECT seq, payload FROM events
                   WHERE stream_id = (SELECT id FROM streams WHERE name = %s) ORDER BY seq DESC LIMIT %s) AS newest
               WHERE (payload::json ->> 'timestamp')::timestamptz > now() - make_interval(secs => %s)""",
            (BROADCAST, LOOK_BACK_EVENTS, LOOK_BACK_SECONDS),
        )
        (cursor,) = cur.fetchall()[0]
    return None if cursor is None else int(cursor)


def hello(words: Callable[[], bytes], everybody: Viewer, since: int | None) -> bytes:
    """The first words, with the place of both where that is known."""
    id, _, rest = words().partition(b"\n")
    return b"%b\n%b" % (id if since is None else b"%b.%d" % (id, everybody.cursor), rest)


class UserCodec(RoomCodec):
    """One of the two in the words of ``inner``, with the place of both."""

    def __init__(self, chunked: bool, connection: UserSseConnection, index: int) -> None:
        super().__init__(chunked, connection, index)
        self._own, self._inner = connection, connection.inner

    def frame(self, event: Event) -> bytes:
        return self._placed(self._inner.frame(event), event.sequence)

    def quiet(self, viewer: Viewer, cursor: int, connections: int) -> bytes:
        return self._placed(self._inner.quiet(viewer, cursor, connections), cursor)

    def _placed(self, said: bytes, cursor: int) -> bytes:
        if not said.startswith(b"id: "):
            return self._chunk(said) if said else b""
        return self._chunk(b"id: %b\n%b" % (self._id(cursor).encode(), said.partition(b"\n")[2]))

    def _id(self, cursor: int) -> str:
        own, everybody = self._connection.viewers
        return self._own.place(*((cursor, everybody.cursor) if self._index == 0 else (own.cursor, cursor)))


class UserSseConnection(SharedSseConnection):
    """``inner`` is the format, without chunks; ``since`` is where ``broadcast`` begins, None where it is only live."""

    def __init__(
        self,
        registry: SseRegistry,
        taken: socket.socket,
        codec: SseCodec,
        viewers: Sequence[Viewer],
        principal: Principal,
        inner: SseCodec,
        since: int | None,
    ) -> None:
        self.inner = inner
        self._silent_to = viewers[1].start if since is None else -1
        super().__init__(registry, taken, codec, viewers, principal)

    def room_codec(self, index: int) -> UserCodec:
        return UserCodec(self.codec.chunked, self, index)

    def place(self, own: int, everybody: int) -> str:
        return f"{own}.{everybody}" if everybody > self._silent_to else str(own)
