"""The tail check: compares rooms with Postgres, to fill gaps before early events and to find lost last events."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from app.errors import causes
from app.stream.background import with_pauses
from app.stream.delivery import Delivery
from app.stream.hub_state import HubState
from app.stream.room import RING_EVENTS
from app.stream.single_flight import SingleFlight
from app.stream.store import Head
from app.stream.subscription import Subscription
from app.stream.watched_room import WatchedRoom

logger = logging.getLogger("taskroom.hub")

POLL_SECONDS = 0.1  # a room that the subscription has not confirmed yet
AWAY_SECONDS = 0.5  # all rooms while nothing is received from Redis
TAIL_SECONDS = 2.0  # all rooms: a lost last event leaves no gap that shows
EARLY_SECONDS = 0.02  # a batch that came early waits for the one before it
SWEEP_SECONDS = 1.0
ROOMS_AT_ONCE = 2_000  # in one query: no other thread runs while its answer is read


class TailCheck:
    def __init__(self, hub: HubState, delivery: Delivery) -> None:
        self._lock, self._metrics, self._faults = hub.lock, hub.metrics, hub.faults
        self._store, self._rooms, self._account = hub.store, hub.rooms, hub.account
        self._delivery = delivery
        self._unchecked: set[WatchedRoom] = set()  # to be compared at the next look
        self._single_flight: SingleFlight[None] = SingleFlight()
        self._swept_at = 0.0
        self._stopped = threading.Event()
        self._soon = threading.Event()  # the next look shall not wait for its time

    def stop(self) -> None:
        self._stopped.set()
        self._soon.set()

    def check_soon(self, watched: WatchedRoom, at_once: bool) -> None:
        """Compares the room at the next look, for it may have missed something. The caller holds the lock."""
        self._unchecked.add(watched)
        if at_once:
            self._soon.set()

    def run(self, subscription: Subscription, sweep: Callable[[float], None]) -> None:
        """Runs the thread: one query for all rooms that are due, up to thousands. Nothing else finds lost events."""
        last_all, failing = 0.0, False
        while not self._stopped.is_set():
            self._soon.wait(POLL_SECONDS)
            self._soon.clear()
            now = time.monotonic()
            # Each part fails alone: this thread must survive any fault, for nothing else would find what is lost.
            if now - self._swept_at >= SWEEP_SECONDS:
                self._swept_at = now
                with self._faults.within("sweeping rooms failed"):
                    sweep(now)
            with self._faults.within("watching the subscription failed"):
                subscription.watch()
            try:
                everything = now - last_all >= (TAIL_SECONDS if subscription.receiving else AWAY_SECONDS)
                if everything:
                    last_all = now
                due = self.due(everything, subscription.connected)
                self.compare(due)
                failing = failing and not due
            except Exception as error:
                if not causes.of(error).is_temporary:
                    self._faults.note("the tail check failed", error)
                elif not failing:
                    failing = True
                    logger.warning("the tail check fails, for now: %s", causes.first_line(error))

    def due(self, everything: bool, connected: bool) -> list[WatchedRoom]:
        with self._lock:
            if not connected:
                for watched in self._rooms.values():
                    watched.confirmed = False
            unproven, self._unchecked = self._unchecked, set()
            return [
                watched
                for watched in self._rooms.values()
                # Closed rooms too: a restore may have lost the last event.
                if everything
                or watched in unproven
                or (connected and not watched.confirmed and not watched.room.closed)
            ]

    def compare(self, rooms: Sequence[WatchedRoom]) -> None:
        """Brings each room to the head of its stream in Postgres. Raises a temporary error after trying all rooms."""
        away: Exception | None = None
        heads: dict[str, Head] = {}
        stood = {watched.room.stream: watched.room.head for watched in rooms}
        streams = list(stood)
        for start in range(0, len(streams), ROOMS_AT_ONCE):
            heads |= self._heads(streams[start : start + ROOMS_AT_ONCE])
        for watched in with_pauses(rooms):
            stream = watched.room.stream
            try:
                if stream in heads:
                    self._catch_up(watched, heads[stream], stood[stream])
            except Exception as error:
                if causes.of(error).is_temporary:
                    away = error
                else:
                    self._faults.note(f"{stream} could not be compared with Postgres", error)
        if away is not None:
            raise away

    def refresh(self, watched: WatchedRoom) -> None:
        """Compares the room now, once for all who ask at the same moment. Raises DatabaseUnavailable."""
        self._single_flight(watched, lambda: self._look(watched))

    def refresh_until(self, watched: WatchedRoom, done: Callable[[], bool]) -> None:
        """Compares the room until ``done()``, twice at most: the first look may have been under way already, and so be
        older than the question. Raises DatabaseUnavailable."""
        for _ in range(2):
            if not done():
                self.refresh(watched)

    def refill(self, watched: WatchedRoom) -> None:
        """Reads the events before those that came early, after a moment in which they may still come."""
        try:
            self._stopped.wait(EARLY_SECONDS)
            self.refresh(watched)
        except Exception as error:
            if causes.of(error).is_temporary:
                logger.warning("refilling %s failed, the tail check will: %s", watched.room.stream, error)
            else:
                self._faults.note(f"{watched.room.stream} could not be refilled", error)
        finally:
            watched.refilling = False

    def _look(self, watched: WatchedRoom) -> None:
        stream, stood = watched.room.stream, watched.room.head
        heads = self._heads([stream])
        if stream in heads:
            self._catch_up(watched, heads[stream], stood)

    def _heads(self, streams: Sequence[str]) -> dict[str, Head]:
        self._metrics.looks += 1
        return self._store.heads(streams)

    def _catch_up(self, watched: WatchedRoom, head: Head, stood: int) -> None:
        """Brings a room to the head in Postgres: through the ring when the events fit, else by a jump. ``stood`` is the
        room's head before the look."""
        room = watched.room
        # Events were committed before they were received, so a look that began later must find them.
        if head.last_seq < stood or room.contradicted:
            self._rewind(watched, head)
            return
        room.pruned_to = max(room.pruned_to, head.pruned_to)
        gap = head.last_seq - room.head
        if gap <= 0 and room.closed == head.closed:
            return
        events = self._store.after(room.stream, room.head, gap) if 0 < gap <= RING_EVENTS else []
        with self._lock:
            self._metrics.caught_up += room.head < head.last_seq
            before = room.bytes
            room.accept(events)
            room.jump(head.last_seq, head.closed)
            self._account(watched, before)
            self._delivery.notify(watched)  # last: it may drop events, and accounts for that itself

    def _rewind(self, watched: WatchedRoom, head: Head) -> None:
        """Follows a fail-over or a restore that lost commits. Which events were lost is not known, so all viewers get a
        resync."""
        room = watched.room
        logger.warning(
            "%s went back from %d to %d in Postgres: its viewers get a resync",
            *(room.stream, room.head, head.last_seq),
        )
        with self._lock:
            before = room.bytes
            room.rewind(head.last_seq, head.pruned_to, head.closed)
            self._account(watched, before)
            self._metrics.rewound += 1
            self._delivery.rewind(watched)
