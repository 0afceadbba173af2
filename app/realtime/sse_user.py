"""A user's own stream and ``broadcast`` on one connection: an announcement to all reaches each user.

An id is the sequence of the user's stream. From the first event of ``broadcast`` on, its sequence follows behind a dot,
so that a client that knows of no second stream resumes both. A client that was sent none comes back with a bare
sequence; it is sent the announcements of the last minutes, which it cannot have received.
"""

from __future__ import annotations

from collections.abc import Callable

from app.realtime.sse_codec import SseCodec
from app.realtime.sse_rooms import ManyRoomsConnection, RoomCodec
from app.stream.event import BROADCAST, Event
from app.stream.single_flight import SingleFlight
from app.stream.store import Connect
from app.stream.viewer import Viewer

LOOK_BACK_SECONDS = 900
LOOK_BACK_EVENTS = 100
_since: SingleFlight[int | None] = SingleFlight()  # a crowd that comes back shares one query


def announced_since(read: Connect) -> int | None:
    """Returns the cursor before the announcements of the last LOOK_BACK_SECONDS; None when there are none."""
    return _since(BROADCAST, lambda: _announced_since(read))


def _announced_since(read: Connect) -> int | None:
    with read() as conn, conn.cursor() as cur:
        cur.execute(
            """SELECT min(seq) - 1 FROM (SELECT seq, payload FROM events
                   WHERE stream_id = (SELECT id FROM streams WHERE name = %s) ORDER BY seq DESC LIMIT %s) AS newest
               WHERE (payload::json ->> 'timestamp')::timestamptz > now() - make_interval(secs => %s)""",
            (BROADCAST, LOOK_BACK_EVENTS, LOOK_BACK_SECONDS),
        )
        (cursor,) = cur.fetchall()[0]
    return None if cursor is None else int(cursor)


def hello(make: Callable[[], bytes], broadcast: Viewer, since: int | None) -> bytes:
    """Makes the first message, and adds the cursor of ``broadcast`` to its id where that is known."""
    id, _, rest = make().partition(b"\n")
    return b"%b\n%b" % (id if since is None else b"%b.%d" % (id, broadcast.cursor), rest)


class UserCodec(RoomCodec):
    """One of the two streams in the format ``inner``, without chunks, with the cursors of both; ``since`` is where
    ``broadcast`` begins, None for live only."""

    def __init__(
        self, connection: ManyRoomsConnection, index: int, inner: SseCodec, since: int | None
    ) -> None:
        super().__init__(connection, index)
        self._inner = inner
        self._silent_to = connection.viewers[1].own_cursor if since is None else -1

    def frame(self, event: Event) -> bytes:
        return self._with_id(self._inner.frame(event), event.sequence)

    def quiet(self, viewer: Viewer, cursor: int, connections: int) -> bytes:
        return self._with_id(self._inner.quiet(viewer, cursor, connections), cursor)

    def _with_id(self, frame: bytes, cursor: int) -> bytes:
        if not frame.startswith(b"id: "):
            return self._chunk(frame) if frame else b""
        return self._chunk(b"id: %b\n%b" % (self._id(cursor).encode(), frame.partition(b"\n")[2]))

    def _id(self, cursor: int) -> str:
        own, broadcast = self._connection.viewers
        at, announced = (cursor, broadcast.cursor) if self._index == 0 else (own.cursor, cursor)
        return f"{at}.{announced}" if announced > self._silent_to else str(at)
