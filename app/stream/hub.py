"""The hub: all rooms of a process, fed by one subscription and kept complete from Postgres."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from app.stream.background import spawn, with_pauses
from app.stream.catchup import Catchup
from app.stream.codec import Filter
from app.stream.delivery import Delivery
from app.stream.event import Event
from app.stream.hub_state import HubState
from app.stream.resync import Resync
from app.stream.room import Room
from app.stream.single_flight import SingleFlight
from app.stream.store import Head, NoSuchStream, Store
from app.stream.subscription import Subscription
from app.stream.tailcheck import TailCheck
from app.stream.viewer import Viewer, Wire
from app.stream.watched_room import WatchedRoom

LINGER_SECONDS = 30.0  # an empty room, for viewers that reload

EVERYTHING = Filter()


class Hub:
    """``watch`` makes a viewer; ``attach`` gives it a wire and begins to send."""

    def __init__(self, store: Store, redis_url: str, stalled_seconds: float = 30.0) -> None:
        self._state = state = HubState(store)
        self._store, self._rooms, self._lock = store, state.rooms, state.lock
        self.metrics, self.faults = state.metrics, state.faults
        self._single_flight: SingleFlight[Head | None] = SingleFlight()
        # Called by the subscription, as ``received`` and ``confirmed`` below.
        self.control_received: Callable[[str], None] = lambda message: None
        self.reconnected: Callable[[], None] = lambda: None
        self.on_viewer: Callable[[Viewer, int], None] = lambda viewer, change: None
        self._stopped = threading.Event()
        # The three call each other in a circle: catchup asks the tail check, which notifies delivery, which hands a
        # viewer that falls behind to catchup.
        self._catchup = Catchup(
            state, stalled_seconds, lambda watched, done: self._tailcheck.refresh_until(watched, done)
        )
        self._delivery = Delivery(state, self._catchup)
        self._tailcheck = TailCheck(state, self._delivery)
        self.advance, self.states = self._catchup.advance, self._catchup.states
        self.send_control = self._delivery.send_control
        self.subscription = Subscription(redis_url, self, self.faults)

    def start(self) -> None:
        for name, run in (
            ("listener", self.subscription.run),
            ("tails", lambda: self._tailcheck.run(self.subscription, self._sweep)),
            ("ticks", self._delivery.run),
        ):
            threading.Thread(target=run, name=f"taskroom-{name}", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._tailcheck.stop()
        self._delivery.stop()
        self.subscription.stop()
        self.close_viewers("draining")

    def watch(
        self, stream: str, cursor: int | None, filter: Filter = EVERYTHING, session_id: str = ""
    ) -> Viewer:
        """Makes a viewer after ``cursor`` (None: live only); a cursor that cannot be answered gets a Resync before
        anything else. Raises NoSuchStream."""
        watched = self._open(stream)
        room = watched.room
        if cursor is not None:
            self._tailcheck.refresh_until(watched, lambda: cursor <= room.head)
        resync = None if cursor is None else Resync.of(stream, cursor, room.pruned_to, room.head)
        start = room.head if cursor is None else cursor
        # Thousands of viewers share one empty filter: each object more is work for the garbage collector.
        viewer = Viewer(self, room, start, filter or EVERYTHING, session_id, resync)
        with self._lock:
            watched = self._keep(watched)  # it may have been swept while Postgres was asked
            viewer.room = watched.room
            watched.add(viewer)
            with self.faults.within("counting viewers failed"):
                self.on_viewer(viewer, 1)
        if self._stopped.is_set():  # while Postgres was asked: nothing else would close the viewer
            viewer.close("draining")
        return viewer

    def attach(self, viewer: Viewer, wire: Wire) -> None:
        """Begins to send ``initial``, then the events after the cursor, unless the viewer was closed meanwhile."""
        with self._lock:
            viewer.wire, viewer.progress_at = wire, time.monotonic()
            closed = viewer.closed
        if closed is not None:
            self._tell_closed(viewer, wire, closed)
        else:
            self._catchup.advance(viewer)

    @property
    def rooms(self) -> int:
        return len(self._rooms)

    @property
    def catching_up(self) -> int:
        """Viewers that wait for their wires, or for Postgres."""
        return self._catchup.viewers

    @property
    def lag(self) -> int:
        """Events that the room furthest behind has not sent yet."""
        with self._lock:
            rooms = (watched.room for watched in self._rooms.values() if watched.viewers)
            return max((room.head - room.sent for room in rooms), default=0)

    @property
    def ring_bytes(self) -> int:
        return self._state.ring_bytes

    def viewers(self) -> list[Viewer]:
        with self._lock:
            return [v for watched in self._rooms.values() for v in watched.viewers]

    def close_viewers(self, reason: str, session_id: str | None = None) -> None:
        """Closes all viewers, or those of one session."""
        for viewer in with_pauses(self.viewers()):
            if session_id is None or viewer.session_id == session_id:
                viewer.close(reason)

    # Called by the subscription.

    def received(self, stream: str, events: Sequence[Event], closes: bool) -> None:
        with self._lock:
            watched = self._rooms.get(stream)
            if watched is None:
                return
            self.metrics.received += 1
            try:
                self._take(watched, events, closes)
            except Exception as error:
                self.faults.note(f"a message of {stream} could not be taken", error)
                self._tailcheck.check_soon(watched, at_once=False)  # it may fail again with each message

    def confirmed(self, stream: str) -> None:
        with self._lock:
            watched = self._rooms.get(stream)
            if watched:
                watched.confirmed = True
                self._tailcheck.check_soon(watched, at_once=True)

    # Keeping rooms complete.

    def _take(self, watched: WatchedRoom, events: Sequence[Event], closes: bool) -> None:
        room = watched.room
        if events[0].sequence <= room.head and room.contradicts(events):
            room.contradicted = True
            self._tailcheck.check_soon(watched, at_once=True)
            return
        before = room.bytes
        try:
            moved = room.accept(events, closes)
        finally:
            self._state.account(watched, before)
        if moved:
            self._delivery.notify(watched)
        if room.has_early and not watched.refilling:
            watched.refilling = True
            self.metrics.refills += 1
            spawn(self._tailcheck.refill, watched)

    def _open(self, stream: str) -> WatchedRoom:
        with self._lock:
            watched = self._rooms.get(stream)
        if watched:
            return watched
        head = self._single_flight(("open", stream), lambda: self._store.head_or_create(stream))
        if head is None:
            raise NoSuchStream(stream)
        return self._keep(WatchedRoom(Room(stream, head.last_seq, head.pruned_to, head.closed)))

    def _keep(self, watched: WatchedRoom) -> WatchedRoom:
        """Registers the room and returns it, or the stream's other one: another thread may have been quicker."""
        stream = watched.room.stream
        with self._lock:
            kept = self._rooms.setdefault(stream, watched)
            if kept is watched and not watched.registered:
                watched.registered, watched.confirmed = True, False
                watched.empty_since = time.monotonic()
                self._state.account(watched, 0)
                self.subscription.subscribe(stream)
            return kept

    def close(self, viewer: Viewer, reason: str) -> None:
        """Closes a viewer, once; no fault in it keeps other viewers open, or this one registered."""
        with self._lock:
            if viewer.closed is not None:
                return
            viewer.closed = reason
            self.metrics.ended[reason] += 1
            self._rooms[viewer.room.stream].remove(viewer)
            self._catchup.drop(viewer)
            wire = viewer.wire
            with self.faults.within("counting viewers failed"):
                self.on_viewer(viewer, -1)
        if wire is not None:
            self._tell_closed(viewer, wire, reason)

    def _tell_closed(self, viewer: Viewer, wire: Wire, reason: str) -> None:
        with self.faults.within(f"a {type(wire).__name__} could not close a viewer"):
            wire.on_closed(viewer, reason)

    def _sweep(self, now: float) -> None:
        self._catchup.sweep(now)
        with self._lock:
            empty = [watched for watched in self._rooms.values() if watched.lingered(now, LINGER_SECONDS)]
        for watched in with_pauses(empty):
            room = watched.room
            with self._lock:
                if watched.lingered(now, LINGER_SECONDS) and self._rooms.get(room.stream) is watched:
                    del self._rooms[room.stream]
                    watched.registered = False
                    self._state.ring_bytes -= room.bytes
                    self.subscription.unsubscribe(room.stream)
