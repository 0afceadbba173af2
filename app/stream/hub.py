"""The hub: rooms by name, fed by one subscription, kept complete from Postgres."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from app.stream.broker import Subscription
from app.stream.event import Event
from app.stream.room import RING_EVENTS, Room
from app.stream.store import Head, Store, StoreAway
from app.stream.viewer import Filter, Resync, Viewer

logger = logging.getLogger("taskroom.hub")

POLL_SECONDS = 0.1  # a room that the subscription has not confirmed yet
AWAY_SECONDS = 0.5  # all rooms while Redis is away
TAIL_SECONDS = 2.0  # all rooms: a lost last event leaves no jump to notice
EARLY_SECONDS = 0.02  # a batch that came early waits for the one before it
TICK_SECONDS = 0.02  # a busy room wakes its viewers once in so long, for all that came meanwhile
LINGER_SECONDS = 30.0  # an empty room, for viewers that reload


class Hub:
    """All rooms of one process. Viewers are made by ``watch`` and woken when their room's head moves."""

    def __init__(self, store: Store, redis_url: str) -> None:
        self._store = store
        self._rooms: dict[str, Room] = {}
        self._unproven: set[Room] = set()  # confirmed, but not compared with Postgres since
        self._lock = threading.RLock()
        self.on_control: Callable[[str], None] = lambda message: None
        self._stopped = threading.Event()
        self._soon = threading.Event()  # a room was just confirmed: check before the next poll
        self._busy: set[Room] = set()  # woken a moment ago: the next tick wakes them again
        self._ticking = threading.Event()
        self.subscription = Subscription(redis_url, self)

    def start(self) -> None:
        threading.Thread(target=self.subscription.run, name="taskroom-listener", daemon=True).start()
        threading.Thread(target=self._check_tails, name="taskroom-tails", daemon=True).start()
        threading.Thread(target=self._tick, name="taskroom-ticks", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._soon.set()
        self._ticking.set()
        self.subscription.stop()
        self.close_viewers("draining")

    def watch(
        self, stream: str, cursor: int | None, filter: Filter = Filter(), session_id: str = ""
    ) -> Viewer:
        """A viewer after ``cursor`` (None: live only). LookupError when there is no such stream.

        A cursor that cannot be answered becomes a Resync from the viewer's first ``next``.
        """
        room = self._open(stream)
        if cursor is not None and cursor > room.head:
            self._refresh(room)  # a snapshot may be ahead of the room
        resync = None if cursor is None else Resync.of(stream, cursor, room.pruned_to, room.head)
        cursor = room.head if cursor is None else cursor
        read, refresh = self._store.after, self._refresh
        viewer = Viewer(room, cursor, filter, read, refresh, self._leave, resync, session_id)
        with self._lock:
            viewer.room = self._keep(room)  # it may have been swept while Postgres was asked
            viewer.room.viewers.add(viewer)
            viewer.room.empty_since = None
        return viewer

    def viewers(self) -> list[Viewer]:
        with self._lock:
            return [v for room in self._rooms.values() for v in room.viewers]

    def close_viewers(self, reason: str, session_id: str | None = None) -> None:
        """Closes all viewers, or those of one session."""
        for viewer in self.viewers():
            if session_id is None or viewer.session_id == session_id:
                viewer.close(reason)

    # Called by the subscription.

    def received(self, stream: str, events: Sequence[Event], closes: bool) -> None:
        with self._lock:
            room = self._rooms.get(stream)
            if room is None:
                return
            if room.accept(events, closes):
                self._wake(room)
            if room.has_early and not room.refilling:
                room.refilling = True
                threading.Thread(target=self._refill, args=(room,), daemon=True).start()

    def confirmed(self, stream: str) -> None:
        with self._lock:
            room = self._rooms.get(stream)
            if room:
                room.confirmed = True
                self._unproven.add(room)
                self._soon.set()

    def controlled(self, message: str) -> None:
        self.on_control(message)

    # Keeping rooms complete.

    def _open(self, stream: str) -> Room:
        with self._lock:
            room = self._rooms.get(stream)
        if room:
            return room
        head = self._store.heads([stream]).get(stream)
        if head is None:
            raise LookupError(stream)
        return self._keep(Room(stream, head.last_seq, head.pruned_to, head.closed))

    def _keep(self, room: Room) -> Room:
        """The room of that stream, this one when there is none: somebody may have been quicker."""
        with self._lock:
            kept = self._rooms.setdefault(room.stream, room)
            if kept is room and not room.followed:
                room.followed, room.confirmed = True, False
                room.empty_since = time.monotonic()
                self.subscription.follow(room.stream)
            return kept

    def _leave(self, viewer: Viewer) -> None:
        with self._lock:
            room = viewer.room
            room.viewers.discard(viewer)
            if not room.viewers:
                room.empty_since = time.monotonic()

    def _wake(self, room: Room) -> None:
        """At once when the room was quiet, which gives latency; else at the next tick, which gives batches."""
        at = time.monotonic()
        if at - room.woken_at < TICK_SECONDS:
            self._busy.add(room)
            self._ticking.set()
            return
        room.woken_at = at
        for viewer in room.viewers:
            viewer.wake()

    def _tick(self) -> None:
        while not self._stopped.is_set():
            self._ticking.wait()
            self._ticking.clear()
            self._stopped.wait(TICK_SECONDS)
            with self._lock:
                rooms, self._busy = self._busy, set()
                for room in rooms:
                    room.woken_at = 0.0
                    self._wake(room)

    def _refill(self, room: Room) -> None:
        try:
            self._stopped.wait(EARLY_SECONDS)
            self._refresh(room)
        except StoreAway as error:
            logger.warning("refilling %s failed, the tail check will: %s", room.stream, error)
        finally:
            room.refilling = False

    def _refresh(self, room: Room) -> None:
        head = self._store.heads([room.stream]).get(room.stream)
        if head:
            self._catch_up(room, head)

    def _catch_up(self, room: Room, head: Head) -> None:
        """Brings a room to where Postgres stands: through the ring when it fits, else by a jump."""
        room.pruned_to = max(room.pruned_to, head.pruned_to)
        gap = head.last_seq - room.head
        if gap <= 0 and room.closed == head.closed:
            return
        events = self._store.after(room.stream, room.head, gap) if 0 < gap <= RING_EVENTS else []
        with self._lock:
            room.accept(events)
            room.jump(head.last_seq, head.closed)
            self._wake(room)

    def _check_tails(self) -> None:
        """One query for all rooms that are due; the only timer that watches for lost messages."""
        last_all = 0.0
        while not self._stopped.is_set():
            self._soon.wait(POLL_SECONDS)
            self._soon.clear()
            now = time.monotonic()
            self._sweep(now)
            everything = now - last_all >= (TAIL_SECONDS if self.subscription.connected else AWAY_SECONDS)
            if everything:
                last_all = now
            try:
                self._compare(self._due(everything))
            except Exception as error:  # whatever it is, this thread must outlive it: it is the last net
                logger.warning("the tail check failed: %s", error, exc_info=not isinstance(error, StoreAway))

    def _due(self, everything: bool) -> list[Room]:
        with self._lock:
            if not self.subscription.connected:
                for room in self._rooms.values():
                    room.confirmed = False
            unproven, self._unproven = self._unproven, set()
            return [
                room
                for room in self._rooms.values()
                if not room.closed
                and (everything or room in unproven or (self.subscription.connected and not room.confirmed))
            ]

    def _compare(self, rooms: Sequence[Room]) -> None:
        if not rooms:
            return
        heads = self._store.heads([room.stream for room in rooms])
        for room in rooms:
            if room.stream in heads:
                self._catch_up(room, heads[room.stream])

    def _sweep(self, now: float) -> None:
        with self._lock:
            for stream, room in list(self._rooms.items()):
                if not room.viewers and room.empty_since and now - room.empty_since > LINGER_SECONDS:
                    del self._rooms[stream]
                    room.followed = False
                    self.subscription.unfollow(stream)
