"""From rooms onto wires: at once when a room was quiet, in ticks when it is busy, and nobody waits for anybody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from app.stream.audience import Audience
from app.stream.background import in_turns
from app.stream.catchup import Catchup
from app.stream.codec import Data
from app.stream.encoded_batch import EncodedBatch
from app.stream.faults import Faults
from app.stream.metrics import DeliveryMetrics
from app.stream.resync import Resync
from app.stream.room import Room
from app.stream.viewer import Cohort, Viewer, failed, offered

PAUSE = 1.5  # times the CPU time that sending took: more than half of the loop is everybody else's
SHORT_PAUSE = 0.5  # of a room that had no more than FEW to send: after a stall it shall soon be in time again
FEW = 2  # events
TICK_SECONDS = 0.025  # a busy room is sent on once in so long, with all that came meanwhile
ROOMS_AT_ONCE = 20  # in one tick: then others have their turn
SHORTEST_SECONDS = 0.005  # between two ticks: a thousand rooms, each with a rest of its own, share them


class Delivery:
    """Serves the cohorts of all rooms, under ``lock``; who falls out of one is ``behind``."""

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        behind: Catchup,
        metrics: DeliveryMetrics,
        faults: Faults,
        account: Callable[[int], None],
    ) -> None:
        self._account = account
        self._lock, self._catchup, self._metrics, self._faults = lock, behind, metrics, faults
        self._busy: set[Audience] = set()  # sent on a moment ago: the next tick does it again
        self._ticking = threading.Event()
        self._stopped = threading.Event()

    def run(self) -> None:
        """The ticks' thread. It rests for longer than it worked: everything else runs meanwhile."""
        worked = 0.0
        while not self._stopped.is_set():
            self._ticking.wait()
            self._ticking.clear()
            with self._lock:
                due = min((audience.next_flush_at for audience in self._busy), default=0.0)
            due = min(due - time.monotonic(), TICK_SECONDS)  # a room that comes meanwhile may rest for less
            # Until a room's rest is over, not a tick from now: in step with its events that would be late each time.
            self._stopped.wait(max(SHORTEST_SECONDS, PAUSE * worked, due))
            worked = 0.0
            with self._faults.within("a tick failed"):
                worked = self._tick(time.monotonic())

    def _tick(self, now: float) -> float:
        """Sends on what is due; returns the CPU time that it took."""
        with self._lock:
            audiences = [audience for audience in self._busy if audience.next_flush_at <= now]
            self._busy.difference_update(audiences)
        worked = 0.0
        for audience in in_turns(audiences, ROOMS_AT_ONCE):
            with self._lock:
                used = time.thread_time()
                with self._faults.within(f"{audience.room.stream} could not be sent on"):
                    self._flush(audience)
                worked += time.thread_time() - used
        if self._busy:
            self._ticking.set()
        return worked

    def stop(self) -> None:
        self._stopped.set()
        self._ticking.set()

    def wake(self, audience: Audience) -> None:
        """The room's head moved, or it was closed. The caller holds the lock."""
        if time.monotonic() < audience.next_flush_at:
            self._busy.add(audience)
            self._ticking.set()
        else:
            self._flush(audience)

    def rewind(self, audience: Audience) -> None:
        """The room went back: all are told so, whatever they were sent last. The caller holds the lock."""
        room = audience.room
        self._catchup.forget(room.stream)
        audience.arriving = []
        for viewer in list(audience.viewers):
            if viewer.cohort is not None:
                viewer.cohort.exit(viewer)
            if not viewer.ending:
                viewer.first = None
                viewer.resync = Resync(room.stream, "beyond_head", room.pruned_to + 1, room.head)
            self._catchup.advance(viewer)

    def say(self, viewer: Viewer, words: Callable[[int], Data]) -> None:
        gone = False
        with self._lock:
            cohort = viewer.cohort
            if cohort is not None:
                try:
                    gone = self._say(viewer, words(cohort.cursor)) < 0
                except Exception as error:
                    self._faults.note(failed(viewer), error)
                    gone = True
        if gone:
            viewer.close("gone")

    def _say(self, viewer: Viewer, said: Data) -> int:
        taken = offered(viewer, said)
        if 0 < taken < len(said):
            viewer.cohort.exit(viewer)  # type: ignore[union-attr]  # who keeps up has one
            viewer.wire.hold_remainder(said[taken:])  # type: ignore[union-attr]
            viewer.progress_at = time.monotonic()
            self._catchup.park(viewer)
        return taken

    def _flush(self, audience: Audience) -> None:
        room = audience.room
        audience.flushed_at = time.monotonic()
        used = time.thread_time()
        self._send(audience, room)
        # Sending may take longer than a tick. If the next message were sent on at once, for itself alone, the loop
        # would do nothing else and the room fall behind for good. CPU time: one that was kept waiting took nothing.
        worked = time.thread_time() - used
        rest = PAUSE if room.head - room.sent > FEW else SHORT_PAUSE
        before = room.bytes
        room.trim()
        if audience.registered:
            self._account(room.bytes - before)
        audience.next_flush_at = max(audience.flushed_at + TICK_SECONDS, time.monotonic() + rest * worked)

    def _send(self, audience: Audience, room: Room) -> None:
        for cohort in list(audience.cohorts.values()):
            try:
                self._send_cohort(audience, room, cohort)
            except (
                Exception
            ) as error:  # a fault of its codec is this cohort's alone; its viewers may come back
                self._faults.note(f"a {type(cohort.codec).__name__} failed", error)
                for viewer in list(cohort.viewers):
                    viewer.close("gone")
            if room.closed:
                self._disband(cohort)
            if not cohort.viewers:
                audience.forget_empty(cohort)
        arrived, audience.arriving = audience.arriving, []
        for viewer in arrived:
            self._catchup.advance(viewer)

    def _send_cohort(self, audience: Audience, room: Room, cohort: Cohort) -> None:
        while cohort.cursor < room.head and cohort.viewers:
            events = room.after(cohort.cursor)
            if events is None:  # the room jumped; each goes on by itself, from shared pages
                self._disband(cohort)
                return
            burst = EncodedBatch.of(events, cohort.codec, cohort.filter)
            offered = len(cohort.viewers)
            behind, gone = cohort.send(burst, self._faults)
            self._metrics.sent(burst.codec, burst.told(burst.cursor), offered - len(behind) - len(gone))
            self._metrics.fell_behind += len(behind)
            for viewer, taken in behind:
                viewer.progress_at = audience.flushed_at
                self._cut(viewer, burst, taken)
            for viewer in gone:
                viewer.close("gone")

    def _cut(self, viewer: Viewer, burst: EncodedBatch, taken: int) -> None:
        try:
            self._catchup.cut(viewer, burst, taken)
        except Exception as error:
            self._faults.note(failed(viewer), error)
            viewer.close("gone")

    def _disband(self, cohort: Cohort) -> None:
        for viewer in list(cohort.viewers):
            cohort.exit(viewer)
            viewer.progress_at = time.monotonic()  # it kept up until now
            self._catchup.advance(viewer)
