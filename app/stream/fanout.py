"""From rooms onto wires: at once when a room was quiet, in ticks when it is busy, and nobody waits for anybody."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from app.stream.burst import Burst, Data
from app.stream.event import Event
from app.stream.history import History
from app.stream.lane import Lane, offered
from app.stream.resync import Resync
from app.stream.room import Room
from app.stream.store import Store, StoreAway
from app.stream.viewer import Viewer

logger = logging.getLogger("taskroom.fanout")

TICK_SECONDS = 0.02  # a busy room is sent on once in so long, with all that came meanwhile
BURSTS = 64  # joined buffers kept for a second, for those who catch up from the same cursor


class Fanout:
    """Everything under ``lock`` and without waiting: a send takes what it takes."""

    def __init__(
        self,
        store: Store,
        lock: AbstractContextManager[Any],
        refresh: Callable[[Room], None],
        stalled_seconds: float,
    ) -> None:
        self._lock, self._refresh, self._stalled_seconds = lock, refresh, stalled_seconds
        self._history = History(store)
        self._busy: set[Room] = set()  # sent on a moment ago: the next tick does it again
        self._parked: set[Viewer] = set()  # their wires take nothing for now
        self._bursts: dict[tuple[object, ...], Burst] = {}
        self._ticking = threading.Event()
        self._stopped = threading.Event()

    def run(self) -> None:
        """The ticks' thread."""
        while not self._stopped.is_set():
            self._ticking.wait()
            self._ticking.clear()
            self._stopped.wait(TICK_SECONDS)
            with self._lock:
                rooms, self._busy = self._busy, set()
                for room in rooms:
                    room.woken_at = time.monotonic()
                    try:
                        self._flush(room)
                    except Exception:  # a fault in one room must not stop all others
                        logger.exception("%s could not be sent on", room.stream)

    def stop(self) -> None:
        self._stopped.set()
        self._ticking.set()

    def wake(self, room: Room) -> None:
        """The room's head moved, or it was closed. The caller holds the lock."""
        at = time.monotonic()
        if at - room.woken_at < TICK_SECONDS:
            self._busy.add(room)
            self._ticking.set()
        else:
            room.woken_at = at
            self._flush(room)

    def leave(self, viewer: Viewer) -> None:
        if viewer.lane is not None:
            viewer.lane.exit(viewer)
        self._parked.discard(viewer)

    def sweep(self, now: float) -> None:
        """Once a second or so: drops who took nothing for too long, and forgets buffers nobody came for."""
        with self._lock:
            self._bursts.clear()
            stalled = [v for v in self._parked if now - v.progress_at > self._stalled_seconds]
        for viewer in stalled:
            viewer.close("stalled")

    def advance(self, viewer: Viewer) -> None:
        """As far as its wire takes: what is owed, the ring, Postgres, and into the lane of those who keep up."""
        gone = False
        with self._lock:
            self._parked.discard(viewer)
            if viewer.closed is None and viewer.lane is None and viewer.wire is not None:
                try:
                    self._advance(viewer)
                except OSError:
                    gone = True
        if gone:
            viewer.close("gone")

    def say(self, viewer: Viewer, words: Data) -> None:
        gone = False
        with self._lock:
            lane = viewer.lane
            if lane is not None:
                taken = offered(viewer, words)
                gone = taken < 0
                if 0 < taken < len(words):
                    lane.exit(viewer)
                    viewer.wire.owe(words[taken:])  # type: ignore[union-attr]
                    viewer.progress_at = time.monotonic()
                    self._park(viewer)
        if gone:
            viewer.close("gone")

    def _flush(self, room: Room) -> None:
        for key, lane in list(room.lanes.items()):
            while lane.cursor < room.head and lane.viewers:
                events = room.after(lane.cursor)
                if events is None:  # the room jumped; each goes on by itself, from shared pages
                    self._disband(lane)
                    break
                burst = Burst.of(events, lane.codec, lane.filter)
                behind, gone = lane.send(burst)
                for viewer, taken in behind:
                    viewer.progress_at = room.woken_at
                    self._cut(viewer, burst, taken)
                for viewer in gone:
                    viewer.close("gone")
            if room.closed:
                self._disband(lane)
            if not lane.viewers:
                room.lanes.pop(key, None)
        arrived, room.arriving = room.arriving, []
        for viewer in arrived:
            self.advance(viewer)

    def _disband(self, lane: Lane) -> None:
        for viewer in list(lane.viewers):
            lane.exit(viewer)
            viewer.progress_at = time.monotonic()  # it kept up until now
            self.advance(viewer)

    def _advance(self, viewer: Viewer) -> None:
        wire, room = viewer.wire, viewer.room
        assert wire is not None
        if not self._settled(viewer):
            return
        if viewer.resync is not None:
            if self._say(viewer, wire.codec.resync(viewer.resync)):
                viewer.start, viewer.resync = viewer.resync.cursor, None
                self._advance(viewer)
            return
        if viewer.first:
            codec = wire.codec
            if self._say(viewer, codec.join([codec.frame(e) for e in viewer.first])):
                viewer.first = ()
                self._advance(viewer)
            return
        while viewer.start < room.head:
            burst = self._burst(viewer)
            if burst is None:
                self._read_back(viewer, viewer.start, partial(self._overtaken, viewer, room.pruned_to))
                return
            taken = self._offer(viewer, burst.data) if burst.data else 0
            if taken < len(burst.data):
                self._cut(viewer, burst, taken)
                return
            viewer.start = burst.cursor
        self._arrive(viewer)

    def _arrive(self, viewer: Viewer) -> None:
        room, wire = viewer.room, viewer.wire
        assert wire is not None
        if room.closed:
            self._end(viewer)
            return
        key = wire.codec, viewer.filter
        lane = room.lanes.get(key)
        if lane is None:
            lane = room.lanes[key] = Lane(*key, room.head)
        elif not lane.viewers:
            lane.cursor = room.head
        if lane.cursor == viewer.start:
            lane.enter(viewer)
        else:
            room.arriving.append(viewer)  # the lane waits for its tick: with the others after that

    def _burst(self, viewer: Viewer) -> Burst | None:
        """What comes next for this viewer and all who stand where it does; None when it must be read first."""
        room, codec = viewer.room, viewer.wire.codec  # type: ignore[union-attr]
        key = room.stream, codec, viewer.filter, viewer.start
        burst = self._bursts.get(key)
        if burst is None:
            events = room.after(viewer.start)
            if events is None:  # a page may reach beyond the room's head, which came from an older look
                events = self._history.after(room.stream, viewer.start, room.pruned_to)
                events = events[: room.head - viewer.start]
            if not events:
                return None
            burst = self._bursts[key] = Burst.of(events, codec, viewer.filter)
            if len(self._bursts) > BURSTS:
                del self._bursts[next(iter(self._bursts))]
        return burst

    def _read_back(self, viewer: Viewer, cursor: int, otherwise: Callable[[], None]) -> None:
        room = viewer.room

        def arrived(error: Exception | None, found: bool) -> None:
            if viewer.closed is not None:
                return
            if error is not None:
                viewer.close("unavailable")
            elif found:
                self.advance(viewer)
            else:
                otherwise()

        self._history.read(room.stream, cursor, room.pruned_to, arrived)

    def _overtaken(self, viewer: Viewer, pruned_to: int) -> None:
        """Nothing follows its cursor without a gap: pruning went on since the room, or this viewer, was opened."""
        room = viewer.room
        try:
            if room.pruned_to == pruned_to:
                self._refresh(room)
        except StoreAway:
            viewer.close("unavailable")
            return
        if viewer.start < room.pruned_to:
            viewer.resync = Resync(room.stream, "pruned", room.pruned_to + 1, room.head)
        elif room.pruned_to == pruned_to:
            logger.error("%s has a hole after %d", room.stream, viewer.start)
            viewer.resync = Resync(room.stream, "pruned", room.head + 1, room.head)
        self.advance(viewer)

    def _end(self, viewer: Viewer) -> None:
        room = viewer.room
        last = room.after(room.head - 1) or self._history.after(room.stream, room.head - 1, room.pruned_to)
        if last:
            self._say_last(viewer, last[-1])
        else:  # pruned to the very end, nobody can tell how it ended
            self._read_back(viewer, room.head - 1, partial(self._say_last, viewer, None))

    def _say_last(self, viewer: Viewer, last: Event | None) -> None:
        wire = viewer.wire
        assert wire is not None
        with self._lock:
            try:
                if self._say(viewer, wire.codec.end(viewer.room.stream, last, viewer.start)):
                    viewer.ending = True
                    self._settled(viewer)
            except OSError:
                viewer.close("gone")

    def _settled(self, viewer: Viewer) -> bool:
        """Sends what the wire owes; False when it was parked or has nothing more to say."""
        wire = viewer.wire
        assert wire is not None
        owed = wire.owed
        settled = wire.settle()
        if wire.owed < owed:
            viewer.progress_at = time.monotonic()
        if not settled:
            self._park(viewer)
        elif viewer.ending:
            viewer.close("ended")
        return settled and not viewer.ending

    def _say(self, viewer: Viewer, data: Data) -> bool:
        """Words that are no events. False when not one of them could be said and the viewer was parked."""
        taken = self._offer(viewer, data)
        if taken == 0:
            self._park(viewer)
        elif taken < len(data):
            viewer.wire.owe(data[taken:])  # type: ignore[union-attr]
        return taken > 0

    def _offer(self, viewer: Viewer, data: Data) -> int:
        taken = offered(viewer, data)
        if taken < 0:
            raise ConnectionError
        if taken:
            viewer.progress_at = time.monotonic()
        return taken

    def _cut(self, viewer: Viewer, burst: Burst, taken: int) -> None:
        """Its wire took so much of the burst: it goes on alone from there, when the wire takes more."""
        viewer.start, rest = burst.cut(taken)
        if rest:
            viewer.wire.owe(rest)  # type: ignore[union-attr]
        self._park(viewer)

    def _park(self, viewer: Viewer) -> None:
        if viewer.closed is None:
            self._parked.add(viewer)
            viewer.wire.await_room(viewer)  # type: ignore[union-attr]
