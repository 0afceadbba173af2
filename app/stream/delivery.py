"""Delivery from rooms to wires: at once when a room was quiet, in ticks while it is busy. No viewer delays another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.stream.background import with_pauses
from app.stream.catchup import Catchup
from app.stream.codec import Data
from app.stream.encoded_batch import EncodedBatch
from app.stream.hub_state import HubState
from app.stream.resync import Resync
from app.stream.room import Room
from app.stream.viewer import Cohort, Viewer, failed, offered
from app.stream.watched_room import WatchedRoom

# The pause after a flush, as a multiple of the CPU time that the flush took: more than half of the loop stays free.
PAUSE = 1.5
SHORT_PAUSE = 0.5  # after no more than FEW_EVENTS: a room that is late after a stall is soon in time again
FEW_EVENTS = 2
TICK_SECONDS = 0.025  # between two flushes of a busy room, each with all events that came meanwhile
ROOMS_AT_ONCE = 20  # flushed in one tick before other threads run
SHORTEST_SECONDS = 0.005  # between two ticks: a thousand rooms, each with its own pause, share them


class Delivery:
    """Flushes the cohorts of all rooms, under the hub's lock. Viewers that do not keep up are handed to ``catchup``."""

    def __init__(self, hub: HubState, catchup: Catchup) -> None:
        self._lock, self._metrics, self._faults = hub.lock, hub.metrics, hub.faults
        self._account, self._catchup = hub.account, catchup
        self._busy: set[WatchedRoom] = set()  # flushed a moment ago: the next tick that is due flushes them
        self._tick_wanted = threading.Event()
        self._stopped = threading.Event()

    def run(self) -> None:
        """Runs the ticks, in a thread of their own that pauses for longer than it works."""
        worked = 0.0
        while not self._stopped.is_set():
            self._tick_wanted.wait()
            self._tick_wanted.clear()
            with self._lock:
                due = min((watched.next_flush_at for watched in self._busy), default=0.0)
            due = min(due - time.monotonic(), TICK_SECONDS)  # a room that comes meanwhile may be due sooner
            # Sleeps until the first room is due. A fixed tick in phase with the room's events would delay each event
            # by a whole tick.
            self._stopped.wait(max(SHORTEST_SECONDS, PAUSE * worked, due))
            worked = 0.0
            with self._faults.within("a tick failed"):
                worked = self._tick(time.monotonic())

    def stop(self) -> None:
        self._stopped.set()
        self._tick_wanted.set()

    def notify(self, watched: WatchedRoom) -> None:
        """The room's head moved, or the room was closed. The caller holds the lock."""
        if time.monotonic() < watched.next_flush_at:
            self._busy.add(watched)
            self._tick_wanted.set()
        else:
            self._flush(watched)

    def rewind(self, watched: WatchedRoom) -> None:
        """The room was rewound: each viewer gets a resync, whatever it was sent last. The caller holds the lock."""
        room = watched.room
        self._catchup.forget(room.stream)
        watched.arriving = []
        for viewer in list(watched.viewers):
            if viewer.cohort is not None:
                viewer.cohort.exit(viewer)
            if not viewer.end_begun:
                viewer.initial = None
                viewer.resync = Resync(room.stream, "beyond_head", room.pruned_to + 1, room.head)
            self._catchup.advance(viewer)

    def send_control(self, viewer: Viewer, encode: Callable[[int], Data]) -> None:
        """Sends a viewer that keeps up what ``encode`` makes of its cursor; nothing to a viewer that is behind."""
        gone = False
        with self._lock:
            cohort = viewer.cohort
            if cohort is not None:
                try:
                    gone = self._send_control(viewer, cohort, encode(cohort.cursor)) < 0
                except Exception as error:
                    self._faults.note(failed(viewer), error)
                    gone = True
        if gone:
            viewer.close("gone")

    def _send_control(self, viewer: Viewer, cohort: Cohort, data: Data) -> int:
        taken = offered(viewer, data)
        if 0 < taken < len(data):
            cohort.exit(viewer)
            viewer.wire.hold_remainder(data[taken:])  # type: ignore[union-attr]
            viewer.progress_at = time.monotonic()
            self._catchup.parking.park(viewer)
        return taken

    def _tick(self, now: float) -> float:
        """Flushes the rooms that are due; returns the CPU time that it took."""
        with self._lock:
            rooms = [watched for watched in self._busy if watched.next_flush_at <= now]
            self._busy.difference_update(rooms)
        worked = 0.0
        for watched in with_pauses(rooms, ROOMS_AT_ONCE):
            with self._lock:
                used = time.thread_time()
                with self._faults.within(f"{watched.room.stream} could not be delivered"):
                    self._flush(watched)
                worked += time.thread_time() - used
        if self._busy:
            self._tick_wanted.set()
        return worked

    def _flush(self, watched: WatchedRoom) -> None:
        room = watched.room
        watched.flushed_at = time.monotonic()
        used = time.thread_time()
        self._send(watched, room)
        # Sending may take longer than a tick. If the next message were sent at once, by itself, the loop would do
        # nothing else and the room fall behind for good. CPU time: a thread that had to wait has used nothing.
        worked = time.thread_time() - used
        pause = PAUSE if room.head - room.sent > FEW_EVENTS else SHORT_PAUSE
        before = room.bytes
        room.trim()
        self._account(watched, before)
        watched.next_flush_at = max(watched.flushed_at + TICK_SECONDS, time.monotonic() + pause * worked)

    def _send(self, watched: WatchedRoom, room: Room) -> None:
        for cohort in list(watched.cohorts.values()):
            try:
                self._send_cohort(watched, room, cohort)
            except Exception as error:  # the fault of a codec ends its cohort alone; the viewers may return
                self._faults.note(f"a {type(cohort.codec).__name__} failed", error)
                for viewer in list(cohort.viewers):
                    viewer.close("gone")
            if room.closed:
                self._disband(cohort)
            if not cohort.viewers:
                watched.forget_empty(cohort)
        arrived, watched.arriving = watched.arriving, []
        for viewer in arrived:
            self._catchup.advance(viewer)

    def _send_cohort(self, watched: WatchedRoom, room: Room, cohort: Cohort) -> None:
        while cohort.cursor < room.head and cohort.viewers:
            events = room.after(cohort.cursor)
            if events is None:  # the room jumped: each viewer goes on alone, from shared pages
                self._disband(cohort)
                return
            batch = EncodedBatch.of(events, cohort.codec, cohort.filter)
            offered = len(cohort.viewers)
            behind, gone = cohort.send(batch, self._faults)
            self._metrics.sent(
                batch.codec, batch.types_up_to(batch.cursor), offered - len(behind) - len(gone)
            )
            self._metrics.fell_behind += len(behind)
            for viewer, taken in behind:
                viewer.progress_at = watched.flushed_at
                self._fall_behind(viewer, batch, taken)
            for viewer in gone:
                viewer.close("gone")

    def _fall_behind(self, viewer: Viewer, batch: EncodedBatch, taken: int) -> None:
        try:
            self._catchup.fall_behind(viewer, batch, taken)
        except Exception as error:
            self._faults.note(failed(viewer), error)
            viewer.close("gone")

    def _disband(self, cohort: Cohort) -> None:
        for viewer in list(cohort.viewers):
            cohort.exit(viewer)
            viewer.progress_at = time.monotonic()  # it kept up until now
            self._catchup.advance(viewer)
