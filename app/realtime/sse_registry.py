"""The SSE connections of a process, and the timers that send their keep-alives and end those whose token expired."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from prometheus_client import Counter, Histogram

from app.auth.principal import Principal
from app.green import Poller
from app.periodic import Periodic
from app.realtime.connection_limits import ConnectionLimits
from app.realtime.presence import Presence
from app.realtime.sse_connection import SseConnection
from app.stream.background import with_pauses
from app.stream.hub import Hub

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


class SseRegistry:
    """Sends a keep-alive every ``keepalive_seconds``, or at every second such time, by the codec; and a comment every
    ``COMMENT_SECONDS`` to connections whose codec has ``sends_comments``."""

    def __init__(
        self, hub: Hub, limits: ConnectionLimits, presence: Presence, keepalive_seconds: float
    ) -> None:
        self.poller = Poller()
        self._hub, self._limits, self._presence = hub, limits, presence
        self.slot_seconds = keepalive_seconds / SLOTS
        self._slots: list[set[SseConnection]] = [set() for _ in range(MOST_INTERVALS * SLOTS)]
        self._commented: list[set[SseConnection]] = [set() for _ in range(COMMENT_SECONDS)]
        self._slot = self._comment_slot = 0
        self._timers = (
            Periodic("keepalive", self.slot_seconds, self.send_keepalives, steady=True),
            Periodic("comments", 1.0, self.send_comments, steady=True),
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

    def add(self, connection: SseConnection) -> None:
        """Registers the connection and begins to send."""
        self._slots[connection.slot % len(self._slots)].add(connection)
        if connection.codec.sends_comments:
            self._commented[connection.slot % COMMENT_SECONDS].add(connection)
        self._presence.add(connection.principal.user_id, 1)
        connection.attach(self._hub)
        for timer in self._timers:
            timer.start()

    def remove(self, connection: SseConnection, taken: socket.socket, last: bytes) -> None:
        self._slots[connection.slot % len(self._slots)].discard(connection)
        self._commented[connection.slot % COMMENT_SECONDS].discard(connection)
        self.durations.observe(time.monotonic() - connection.opened_at)
        self._limits.release(connection.principal.user_id)
        self._presence.add(connection.principal.user_id, -1)
        close_socket(self.poller, taken, last)

    def principals_of_keys(self) -> set[Principal]:
        found = [c.principal for slot in self._slots for c in slot if c.principal.is_stored]
        return set(with_pauses(found))

    def close_of(self, principal: Principal) -> None:
        """Closes the principal's connections; their clients come back by themselves."""
        for connection in [c for slot in self._slots for c in slot if c.principal == principal]:
            connection.close("signed_out")

    def send_keepalives(self) -> None:
        """Ends connections whose token expired, and sends the keep-alives of the next slot."""
        now = time.time()
        for slot in self._slots:
            for connection in with_pauses([c for c in slot if c.principal.expires_at <= now]):
                connection.close("expired")
        self._slot = (self._slot + 1) % len(self._slots)
        due = [
            *self._slots[self._slot],
            *(c for c in self._slots[self._slot - SLOTS] if c.codec.keepalive_every == 1),
        ]
        counted: dict[str, int] = {}
        with self._hub.faults.within("counting connections failed"):  # the keep-alives are sent all the same
            counted = self._presence.count({c.principal.user_id for c in due if c.codec.counts_connections})
        for connection in with_pauses(due):
            connection.keep_alive(self._hub, counted.get(connection.principal.user_id, 0))

    def send_comments(self) -> None:
        self._comment_slot = (self._comment_slot + 1) % COMMENT_SECONDS
        for connection in with_pauses(list(self._commented[self._comment_slot])):
            connection.send_comment(self._hub)


def close_socket(poller: Poller, taken: socket.socket, last: bytes) -> None:
    """Sends the last bytes, if any, and closes the socket."""
    with suppress(OSError):  # the client comes back by itself
        if last:
            taken.send(last, WITH_THE_CLOSE)
    poller.forget(taken.fileno())
    taken.close()
