"""The SSE connections of a process, and the timers that send their keep-alives and end those whose token expired."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from prometheus_client import Counter, Histogram

from app.auth.principal import Principal
from app.green import Poller
from app.periodic import Periodic
from app.realtime.joins import Joins
from app.realtime.presence import Presence
from app.realtime.sse_codec import SseCodec
from app.stream.background import in_turns
from app.stream.codec import Data
from app.stream.hub import Hub
from app.stream.viewer import Viewer

SLOTS = 15  # keep-alives of all connections at once would delay events
MOST_INTERVALS = 2  # of the timer, between two keep-alives of a codec
# Common clients give up after five seconds in which they read nothing.
COMMENT_SECONDS = 3

# The last bytes leave with the close, in one packet: a client that reads them before it sees the close would send its
# next request on this connection and get a reset.
WITH_THE_CLOSE = getattr(socket, "MSG_MORE", 0)
SECONDS = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
# What becomes of a connect with a Last-Event-ID, which only a client sends that was cut.
CAME_BACK = ("resumed", "resync", "finished", "sent_away", "refused")


class Connection:
    """A connection to whose socket the hub writes itself. Nothing waits: the poller calls ``_ready`` when the socket
    takes more, or when the client has closed it."""

    __slots__ = (
        "_registry",
        "_remainder",
        "_socket",
        "codec",
        "opened_at",
        "principal",
        "progress_at",
        "slot",
    )

    def __init__(
        self, registry: SseRegistry, taken: socket.socket, codec: SseCodec, principal: Principal
    ) -> None:
        self._registry, self._socket, self._remainder = registry, taken, b""
        self.codec, self.principal = codec, principal
        self.progress_at = self.opened_at = time.monotonic()
        self.slot = taken.fileno()  # spreads the connections over time
        registry.poller.watch(self.slot, self._ready)

    @property
    def unsent(self) -> int:
        return len(self._remainder)

    def hold_remainder(self, remainder: Data) -> None:
        self._remainder = bytes(remainder)

    def attach(self, hub: Hub) -> None: ...

    def close(self, reason: str) -> None: ...

    def keep_alive(self, hub: Hub, connections: int) -> None: ...

    def send_comment(self, hub: Hub) -> None: ...

    def _ready(self, mask: int) -> None: ...

    def _end(self, viewer: Viewer, reason: str) -> None:
        """Sends the reason, unless a frame is partly sent or the client is gone, and closes the socket."""
        last = b"" if self._remainder else self.codec.farewell(reason, viewer.room.stream)
        self._registry.remove(self, self._socket, last)


class SseRegistry:
    """Sends a keep-alive every ``keepalive_seconds``, or at every second such time, by the codec; and a comment every
    ``COMMENT_SECONDS`` to connections whose codec has ``sends_comments``."""

    def __init__(self, hub: Hub, joins: Joins, presence: Presence, keepalive_seconds: float) -> None:
        self.poller = Poller()
        self._hub, self._joins, self._presence = hub, joins, presence
        self.turn_seconds = keepalive_seconds / SLOTS
        self._slots: list[set[Connection]] = [set() for _ in range(MOST_INTERVALS * SLOTS)]
        self._commented: list[set[Connection]] = [set() for _ in range(COMMENT_SECONDS)]
        self._turn = self._comment_turn = 0
        self._timers = (
            Periodic("keepalive", self.turn_seconds, self.turn, steady=True),
            Periodic("comments", 1.0, self.send_comment, steady=True),
        )
        about = "Of connections that have ended"
        self.durations = Histogram("sse_connection_duration_seconds", about, buckets=SECONDS, registry=None)
        about = "Connects with a Last-Event-ID, by what became of them"
        self.reconnections = Counter("sse_reconnection_attempts", about, ("reason",), registry=None)
        for how in CAME_BACK:
            self.reconnections.labels(how)

    @property
    def open(self) -> int:
        return sum(map(len, self._slots))

    def add(self, connection: Connection) -> None:
        """Registers the connection and begins to send."""
        self._slots[connection.slot % len(self._slots)].add(connection)
        if connection.codec.sends_comments:
            self._commented[connection.slot % COMMENT_SECONDS].add(connection)
        self._presence.add(connection.principal.user_id, 1)
        connection.attach(self._hub)
        for timer in self._timers:
            timer.start()

    def remove(self, connection: Connection, taken: socket.socket, last: bytes) -> None:
        self._slots[connection.slot % len(self._slots)].discard(connection)
        self._commented[connection.slot % COMMENT_SECONDS].discard(connection)
        self.durations.observe(time.monotonic() - connection.opened_at)
        self._joins.leave(connection.principal.user_id)
        self._presence.add(connection.principal.user_id, -1)
        leave(self.poller, taken, last)

    def principals_of_keys(self) -> set[Principal]:
        found = [c.principal for slot in self._slots for c in slot if c.principal.key_id]
        return set(in_turns(found))

    def close_of(self, principal: Principal) -> None:
        """Closes the principal's connections; their clients come back by themselves."""
        for connection in [c for slot in self._slots for c in slot if c.principal == principal]:
            connection.close("signed_out")

    def turn(self) -> None:
        """Ends connections whose token expired, and sends the keep-alives of the next slot."""
        now = time.time()
        for slot in self._slots:
            for connection in in_turns([c for c in slot if c.principal.expires_at <= now]):
                connection.close("expired")
        self._turn = (self._turn + 1) % len(self._slots)
        due = [
            *self._slots[self._turn],
            *(c for c in self._slots[self._turn - SLOTS] if c.codec.keepalive_every == 1),
        ]
        counted: dict[str, int] = {}
        with self._hub.faults.within("counting connections failed"):  # the keep-alives are sent all the same
            counted = self._presence.count({c.principal.user_id for c in due if c.codec.counts_connections})
        for connection in in_turns(due):
            connection.keep_alive(self._hub, counted.get(connection.principal.user_id, 0))

    def send_comment(self) -> None:
        """Sends the comments of one second."""
        self._comment_turn = (self._comment_turn + 1) % COMMENT_SECONDS
        for connection in in_turns(list(self._commented[self._comment_turn])):
            connection.send_comment(self._hub)


def leave(poller: Poller, taken: socket.socket, last: bytes) -> None:
    """Sends the last bytes, if any, and closes the socket."""
    with suppress(OSError):  # the client comes back by itself
        if last:
            taken.send(last, WITH_THE_CLOSE)
    poller.forget(taken.fileno())
    taken.close()
