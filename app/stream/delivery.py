"""Delivery from rooms to wires: at once when a room was quiet, in ticks while it is busy. No viewer delays another."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from app.stream.background import with_pauses
from app.stream.catchup import Catchup
from app.stream.codec import Codec, Data
from app.stream.encoded_batch import BatchMaker, EncodedBatch
from app.stream.hub_state import HubState
from app.stream.resync import Resync
from app.stream.viewer import Cohort, Viewer, failed, offered
from app.stream.watched_room import WatchedRoom

# The pause after a flush, as a multiple of the CPU time that the flush took: more than half of the loop stays free.
PAUSE = 1.5
SHORT_PAUSE = 0.5  # after no more than FEW_EVENTS: a room that is late after a stall is soon in time again
FEW_EVENTS = 2
TICK_SECONDS = 0.025  # between two flushes of a busy room, each with all events that came meanwhile
ROOMS_AT_ONCE = 20  # flushed in one tick before other threads run
SHORTEST_SECONDS = 0.005  # between two ticks: a thousand rooms, each with its own pause, share them
SLICE_SECONDS = 0.005  # of one flush, before other threads run: a tick goes on with the rest
TICK_WORK = (
    0.05  # seconds of CPU time after which a tick ends, and the rest of its flushes waits for the next
)


class Delivery:
    """Flushes the cohorts of all rooms, under the hub's lock. Viewers that do not keep up are handed to ``catchup``.

    A flush is cut into pieces, between which other threads may run and change the room: its viewers come and go, its
    head moves, it closes. So each piece leaves every viewer either in a cohort, at the cohort's cursor, or alone at its
    own. A flush brings the cohorts to the head that it found; what came meanwhile is left to the next.
    """

    def __init__(self, hub: HubState, catchup: Catchup) -> None:
        self._lock, self._metrics, self._faults = hub.lock, hub.metrics, hub.faults
        self._account, self._catchup = hub.account, catchup
        self._busy: set[WatchedRoom] = set()  # flushed a moment ago: the next tick that is due flushes them
        self._unfinished: dict[
            WatchedRoom, None
        ] = {}  # their flush is not at its end, in the order of their turns
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
            self._stopped.wait(max(PAUSE * worked, 0.0 if self._unfinished else max(SHORTEST_SECONDS, due)))
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
        resync = Resync(room.stream, "beyond_head", room.pruned_to + 1, room.head)
        viewers = list(watched.viewers)
        for viewer in viewers:  # at once: none may be sent the next event before its resync
            if viewer.cohort is not None:
                viewer.cohort.exit(viewer)
            if not viewer.end_begun:
                viewer.initial, viewer.resync = None, resync
        watched.cohorts.clear()
        self._begin(watched, self._advancing(viewers))  # instead of a flush that is not at its end

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
        """Flushes the rooms that are due, in turns; returns the CPU time that it took."""
        with self._lock:
            rooms = [watched for watched in self._busy if watched.next_flush_at <= now]
            self._busy.difference_update(rooms)
        worked = 0.0
        for watched in with_pauses(rooms, ROOMS_AT_ONCE):
            worked += self._within_tick(watched, self._flush)
        for watched in iter(self._next_unfinished, None):
            if worked >= TICK_WORK:
                break
            time.sleep(0)
            worked += self._within_tick(watched, self._go_on)
        if self._busy or self._unfinished:
            self._tick_wanted.set()
        return worked

    def _next_unfinished(self) -> WatchedRoom | None:
        with self._lock:
            return next(iter(self._unfinished), None)

    def _within_tick(self, watched: WatchedRoom, work: Callable[[WatchedRoom], None]) -> float:
        used = time.thread_time()
        with self._lock, self._faults.within(f"{watched.room.stream} could not be delivered"):
            work(watched)
        return time.thread_time() - used

    def _flush(self, watched: WatchedRoom) -> None:
        if watched.work is None:
            self._begin(watched, self._sending(watched))
        else:
            self._busy.add(watched)  # another thread began one since the room was found due

    def _begin(self, watched: WatchedRoom, work: Iterator[None]) -> None:
        watched.flushed_at = time.monotonic()
        watched.work, watched.worked = work, 0.0
        watched.next_flush_at = math.inf  # until the work is done
        self._go_on(watched)

    def _go_on(self, watched: WatchedRoom) -> None:
        """Does some of the room's work; another turn does the rest."""
        self._unfinished.pop(watched, None)
        used, until, done = time.thread_time(), time.monotonic() + SLICE_SECONDS, True
        sent = watched.room.sent
        try:
            for _ in watched.work or ():
                if time.monotonic() >= until:
                    done = False
                    break
        finally:
            watched.worked += time.thread_time() - used
            if done:
                self._rest(watched, watched.room.sent - sent)
            else:
                self._unfinished[watched] = None
                self._tick_wanted.set()

    def _rest(self, watched: WatchedRoom, events: int) -> None:
        # A flush may take longer than a tick. If the next message were sent at once, by itself, the loop would do
        # nothing else and the room fall behind for good. CPU time: a thread that had to wait has used nothing.
        pause = PAUSE if events > FEW_EVENTS else SHORT_PAUSE
        watched.work = None
        rested_at = time.monotonic() + pause * watched.worked
        watched.next_flush_at = max(watched.flushed_at + TICK_SECONDS, rested_at)

    def _sending(self, watched: WatchedRoom) -> Iterator[None]:
        """Brings all cohorts to the room's head, in pieces."""
        room, upto = watched.room, watched.room.head
        groups: dict[Codec, list[Cohort]] = {}
        for (codec, _), cohorts in watched.cohorts.items():
            groups.setdefault(codec, []).extend(cohorts)
        for codec, group in groups.items():
            yield from self._sending_group(watched, codec, group, upto)
            for cohort in group:
                if room.closed and room.head == upto:
                    yield from self._disbanding(cohort)
                if not cohort.viewers:
                    watched.forget_empty(cohort)
        arrived, watched.arriving = watched.arriving, []
        yield from self._advancing(arrived)
        before = room.bytes
        room.trim(upto)
        self._account(watched, before)

    def _sending_group(
        self, watched: WatchedRoom, codec: Codec, cohorts: Sequence[Cohort], upto: int
    ) -> Iterator[None]:
        """Brings the cohorts of one codec to ``upto`` or beyond. They share what is encoded."""
        while behind := [cohort for cohort in cohorts if cohort.viewers and cohort.cursor < upto]:
            start = min(cohort.cursor for cohort in behind)
            events = watched.room.after(start)
            maker = BatchMaker(events, codec) if events else None
            for cohort in behind:
                if not cohort.viewers or cohort.cursor != start:
                    continue
                if maker is None:  # the room jumped: each viewer goes on alone, from shared pages
                    yield from self._disbanding(cohort)
                    continue
                try:
                    self._send_cohort(cohort, maker)
                except Exception as error:  # of a codec, ends its cohort alone; the viewers may return
                    self._faults.note(f"a {type(codec).__name__} failed", error)
                    for viewer in list(cohort.viewers):
                        viewer.close("gone")
                yield

    def _send_cohort(self, cohort: Cohort, maker: BatchMaker) -> None:
        batch = maker.batch(cohort.filter)
        offered = len(cohort.viewers)
        behind, gone = cohort.send(batch, self._faults)
        self._metrics.sent(batch.codec, batch.types_up_to(batch.cursor), offered - len(behind) - len(gone))
        self._metrics.fell_behind += len(behind)
        for viewer, taken in behind:
            viewer.progress_at = time.monotonic()
            self._fall_behind(viewer, batch, taken)
        for viewer in gone:
            viewer.close("gone")

    def _fall_behind(self, viewer: Viewer, batch: EncodedBatch, taken: int) -> None:
        try:
            self._catchup.fall_behind(viewer, batch, taken)
        except Exception as error:
            self._faults.note(failed(viewer), error)
            viewer.close("gone")

    def _disbanding(self, cohort: Cohort) -> Iterator[None]:
        for viewer in list(cohort.viewers):
            if viewer.cohort is cohort:  # it may have left meanwhile
                cohort.exit(viewer)
                viewer.progress_at = time.monotonic()  # it kept up until now
                self._catchup.advance(viewer)
                yield

    def _advancing(self, viewers: Sequence[Viewer]) -> Iterator[None]:
        yield from map(self._catchup.advance, viewers)
