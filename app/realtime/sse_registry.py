"""All SSE connections of a process, and the timers that look after them."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from app.auth.principal import Principal
from app.green import Poller
from app.observability.histogram import Histogram
from app.realtime.joins import Joins
from app.realtime.presence import Presence
from app.realtime.sse_codec import SseCodec
from app.stream.background import in_turns
from app.stream.hub import Hub
from app.stream.viewer import Viewer

logger = logging.getLogger("taskroom.sse")

SLOTS = 15  # keep-alives of all viewers at once would be a stall for those who have news
MOST_TURNS = 2  # a codec's, between two keep-alives
# Common clients give up after five seconds in which they read nothing.
COMMENT_SECONDS = 3

# The last words leave with the close, in one packet: a client that reads them before it hears of the close would send
# its next request on this connection, and see it reset.
WITH_THE_CLOSE = getattr(socket, "MSG_MORE", 0)
SECONDS = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
# What becomes of a connect with a Last-Event-ID, which only a client sends that was cut.
CAME_BACK = ("resumed", "resync", "finished", "sent_away", "refused")


class Connection(Protocol):
    """An SSE connection as the timer sees it, which one viewer has or several share."""

    slot: int  # spreads the connections over the timer's turns
    opened_at: float  # monotonic
    principal: Principal
    codec: SseCodec

    @property
    def viewers(self) -> Sequence[Viewer]: ...

    def attach(self, hub: Hub) -> None: ...

    def keep_alive(self, hub: Hub, connections: int) -> None: ...

    def send_comment(self, hub: Hub) -> None: ...


class SseRegistry:
    """All SSE connections of the process: keep-alives in slots, and the end of those whose token expired.

    A keep-alive comes every ``keepalive_seconds``, or every second time where the codec says so; a mere comment every
    ``COMMENT_SECONDS`` where it wants that too.
    """

    def __init__(self, hub: Hub, joins: Joins, presence: Presence, keepalive_seconds: float) -> None:
        self.poller = Poller()
        self._hub, self._joins, self._presence = hub, joins, presence
        self.turn_seconds = keepalive_seconds / SLOTS
        self._slots: list[set[Connection]] = [set() for _ in range(MOST_TURNS * SLOTS)]
        self._commented: list[set[Connection]] = [set() for _ in range(COMMENT_SECONDS)]
        self._turn = self._comment_turn = 0
        self._running = False
        self.durations = Histogram(SECONDS)
        self.reconnections = dict.fromkeys(CAME_BACK, 0)

    @property
    def open(self) -> int:
        return sum(map(len, self._slots))

    def add(self, wire: Connection) -> None:
        """Begins to send."""
        self._slots[wire.slot % len(self._slots)].add(wire)
        if wire.codec.sends_comments:
            self._commented[wire.slot % COMMENT_SECONDS].add(wire)
        self._presence.add(wire.principal.user_id, 1)
        wire.attach(self._hub)
        if not self._running:
            self._running = True
            for name, seconds, turn in (
                ("keepalive", self.turn_seconds, self.turn),
                ("breath", 1.0, self.send_comment),
            ):
                timer = partial(self._look_after, seconds, turn)
                threading.Thread(target=timer, name=f"taskroom-{name}", daemon=True).start()

    def remove(self, wire: Connection, taken: socket.socket, words: bytes) -> None:
        self._slots[wire.slot % len(self._slots)].discard(wire)
        self._commented[wire.slot % COMMENT_SECONDS].discard(wire)
        self.durations.note(time.monotonic() - wire.opened_at)
        self._joins.leave(wire.principal.user_id)
        self._presence.add(wire.principal.user_id, -1)
        leave(self.poller, taken, words)

    def turn(self) -> None:
        """One slot's keep-alives."""
        now = time.time()
        for slot in self._slots:
            for wire in in_turns([w for w in slot if w.principal.expires_at <= now]):
                for viewer in wire.viewers:
                    viewer.close("expired")
        self._turn = (self._turn + 1) % len(self._slots)
        due = [
            *self._slots[self._turn],
            *(w for w in self._slots[self._turn - SLOTS] if w.codec.keepalive_every == 1),
        ]
        counted: dict[str, int] = {}
        with self._hub.faults.within("counting connections failed"):  # a keep-alive comes all the same
            counted = self._presence.count({w.principal.user_id for w in due if w.codec.counts_connections})
        for wire in in_turns(due):
            wire.keep_alive(self._hub, counted.get(wire.principal.user_id, 0))

    def send_comment(self) -> None:
        """Once a second."""
        self._comment_turn = (self._comment_turn + 1) % COMMENT_SECONDS
        for wire in in_turns(list(self._commented[self._comment_turn])):
            wire.send_comment(self._hub)

    @staticmethod
    def _look_after(seconds: float, turn: Callable[[], None]) -> None:
        at = time.monotonic()
        while True:
            # By the clock: what a turn takes, or waits for, must not make each keep-alive later than the last.
            at = max(at + seconds, time.monotonic())
            time.sleep(max(0.0, at - time.monotonic()))
            try:
                turn()
            except Exception:  # one stream's trouble must not end the timer of all
                logger.exception("looking after streams failed")


def leave(poller: Poller, taken: socket.socket, words: bytes) -> None:
    """Says the last words, when there are any, and closes."""
    try:
        if words:
            taken.send(words, WITH_THE_CLOSE)
    except OSError:
        pass  # it is closed anyway, and comes back by itself
    poller.forget(taken.fileno())
    taken.close()
