"""Keeps rooms complete from Postgres: what came early is refilled, and a lost last event is found."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from app.stream.background import in_turns
from app.stream.counts import Tally
from app.stream.fanout import Fanout
from app.stream.faults import Faults
from app.stream.once import Once
from app.stream.room import RING_EVENTS, Room
from app.stream.store import Head, Store, StoreAway
from app.stream.subscription import Subscription

logger = logging.getLogger("taskroom.hub")

POLL_SECONDS = 0.1  # a room that the subscription has not confirmed yet
AWAY_SECONDS = 0.5  # all rooms while Redis is not heard
TAIL_SECONDS = 2.0  # all rooms: a lost last event leaves no jump to notice
EARLY_SECONDS = 0.02  # a batch that came early waits for the one before it
SWEEP_SECONDS = 1.0
ROOMS_AT_ONCE = 2_000  # in one query: reading its answer is one turn of the process


class Tails:
    """Compares rooms with where their streams stand. ``account`` takes what a room's ring grew by."""

    def __init__(
        self,
        store: Store,
        rooms: Mapping[str, Room],
        lock: AbstractContextManager[Any],
        fanout: Fanout,
        tally: Tally,
        faults: Faults,
        account: Callable[[int], None],
    ) -> None:
        self._store, self._rooms, self._lock, self._fanout = store, rooms, lock, fanout
        self._tally, self._faults, self._account = tally, faults, account
        self._unproven: set[Room] = set()  # to be compared with Postgres at the next look
        self._once: Once[None] = Once()
        self._swept_at = 0.0
        self._stopped = threading.Event()
        self._soon = threading.Event()  # do not wait for the next poll

    def stop(self) -> None:
        self._stopped.set()
        self._soon.set()

    def prove(self, room: Room, at_once: bool) -> None:
        """It may have missed something: it is compared at the next look. The caller holds the lock."""
        self._unproven.add(room)
        if at_once:
            self._soon.set()

    def run(self, subscription: Subscription, sweep: Callable[[float], None]) -> None:
        """One query for all rooms that are due, up to thousands; the only timer that watches for lost messages."""
        last_all, failing = 0.0, False
        while not self._stopped.is_set():
            self._soon.wait(POLL_SECONDS)
            self._soon.clear()
            now = time.monotonic()
            # Each fails alone: this thread must outlive whatever it is, for it is the last net.
            if now - self._swept_at >= SWEEP_SECONDS:
                self._swept_at = now
                with self._faults.within("sweeping rooms failed"):
                    sweep(now)
            with self._faults.within("watching the subscription failed"):
                subscription.watch()
            try:
                everything = now - last_all >= (TAIL_SECONDS if subscription.hears else AWAY_SECONDS)
                if everything:
                    last_all = now
                rooms = self.due(everything, subscription.connected)
                self.compare(rooms)
                failing = failing and not rooms
            except StoreAway as error:
                if not failing:
                    logger.warning("the tail check fails, for now: %s", error)
                failing = True
            except Exception as error:
                self._faults.note("the tail check failed", error)

    def due(self, everything: bool, connected: bool) -> list[Room]:
        with self._lock:
            if not connected:
                for room in self._rooms.values():
                    room.confirmed = False
            unproven, self._unproven = self._unproven, set()
            return [
                room
                for room in self._rooms.values()
                # One that ended is looked at too: a restore may have lost its end.
                if everything or room in unproven or (connected and not room.confirmed and not room.closed)
            ]

    def compare(self, rooms: Sequence[Room]) -> None:
        """Brings each to where it stands in Postgres. Raises StoreAway, when all others have had their turn."""
        away: StoreAway | None = None
        heads: dict[str, Head] = {}
        stood = {room.stream: room.head for room in rooms}
        for start in range(0, len(rooms), ROOMS_AT_ONCE):
            heads |= self._heads(rooms[start : start + ROOMS_AT_ONCE])
        for room in in_turns(rooms):
            try:
                if room.stream in heads:
                    self._catch_up(room, heads[room.stream], stood[room.stream])
            except StoreAway as error:
                away = error
            except Exception as error:
                self._faults.note(f"{room.stream} could not be compared with Postgres", error)
        if away is not None:
            raise away

    def refresh(self, room: Room) -> None:
        """Looks where the stream stands now; one look for all who ask at the same moment. Raises StoreAway."""
        self._once(room, lambda: self._look(room))

    def refresh_until(self, room: Room, done: Callable[[], bool]) -> None:
        """Looks where the stream stands, again when that does not do: the first look may be one that was under way, and
        older than the question. Raises StoreAway."""
        for _ in range(2):
            if not done():
                self.refresh(room)

    def refill(self, room: Room) -> None:
        """After a moment, in which the events before those that came early may come too."""
        try:
            self._stopped.wait(EARLY_SECONDS)
            self.refresh(room)
        except StoreAway as error:
            logger.warning("refilling %s failed, the tail check will: %s", room.stream, error)
        except Exception as error:
            self._faults.note(f"{room.stream} could not be refilled", error)
        finally:
            room.refilling = False

    def _look(self, room: Room) -> None:
        stood = room.head
        heads = self._heads([room])
        if room.stream in heads:
            self._catch_up(room, heads[room.stream], stood)

    def _heads(self, rooms: Sequence[Room]) -> dict[str, Head]:
        self._tally.looks += 1
        return self._store.heads([room.stream for room in rooms])

    def _catch_up(self, room: Room, head: Head, stood: int) -> None:
        """Brings a room to where Postgres stands: through the ring when it fits, else by a jump. ``stood`` is where it
        was before the look."""
        # What is here was committed before it was heard, so a look that began later must find it.
        if head.last_seq < stood or room.contradicted:
            self._rewind(room, head)
            return
        room.pruned_to = max(room.pruned_to, head.pruned_to)
        gap = head.last_seq - room.head
        if gap <= 0 and room.closed == head.closed:
            return
        events = self._store.after(room.stream, room.head, gap) if 0 < gap <= RING_EVENTS else []
        with self._lock:
            self._tally.caught_up += room.head < head.last_seq
            before = room.bytes
            room.accept(events)
            room.jump(head.last_seq, head.closed)
            if room.followed:
                self._account(room.bytes - before)
            self._fanout.wake(room)  # last: it may let go of events, and counts that itself

    def _rewind(self, room: Room, head: Head) -> None:
        """After a fail-over or a restore that lost commits. Nobody can tell which events were lost, so all viewers are
        told to begin anew."""
        logger.warning(
            "%s went back from %d to %d in Postgres: its viewers are told to begin anew",
            *(room.stream, room.head, head.last_seq),
        )
        with self._lock:
            before = room.bytes
            room.rewind(head.last_seq, head.pruned_to, head.closed)
            if room.followed:
                self._account(room.bytes - before)
            self._tally.rewound += 1
            self._fanout.rewind(room)
