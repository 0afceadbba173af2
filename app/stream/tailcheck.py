"""Keeps rooms complete from Postgres: what came early is refilled, and a lost last event is found."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from app.stream.audience import Audience
from app.stream.background import in_turns
from app.stream.delivery import Delivery
from app.stream.faults import Faults
from app.stream.metrics import DeliveryMetrics
from app.stream.room import RING_EVENTS
from app.stream.single_flight import SingleFlight
from app.stream.store import Head, Store, StoreAway
from app.stream.subscription import Subscription

logger = logging.getLogger("taskroom.hub")

POLL_SECONDS = 0.1  # a room that the subscription has not confirmed yet
AWAY_SECONDS = 0.5  # all rooms while Redis is not heard
TAIL_SECONDS = 2.0  # all rooms: a lost last event leaves no jump to notice
EARLY_SECONDS = 0.02  # a batch that came early waits for the one before it
SWEEP_SECONDS = 1.0
ROOMS_AT_ONCE = 2_000  # in one query: reading its answer is one turn of the process


class TailCheck:
    """Compares rooms with where their streams stand. ``account`` takes what a room's ring grew by."""

    def __init__(
        self,
        store: Store,
        audiences: Mapping[str, Audience],
        lock: AbstractContextManager[Any],
        fanout: Delivery,
        metrics: DeliveryMetrics,
        faults: Faults,
        account: Callable[[int], None],
    ) -> None:
        self._store, self._audiences, self._lock, self._delivery = store, audiences, lock, fanout
        self._metrics, self._faults, self._account = metrics, faults, account
        self._unchecked: set[Audience] = set()  # to be compared with Postgres at the next look
        self._single_flight: SingleFlight[None] = SingleFlight()
        self._swept_at = 0.0
        self._stopped = threading.Event()
        self._soon = threading.Event()  # do not wait for the next poll

    def stop(self) -> None:
        self._stopped.set()
        self._soon.set()

    def check_soon(self, audience: Audience, at_once: bool) -> None:
        """It may have missed something: it is compared at the next look. The caller holds the lock."""
        self._unchecked.add(audience)
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
                due = self.due(everything, subscription.connected)
                self.compare(due)
                failing = failing and not due
            except StoreAway as error:
                if not failing:
                    logger.warning("the tail check fails, for now: %s", error)
                failing = True
            except Exception as error:
                self._faults.note("the tail check failed", error)

    def due(self, everything: bool, connected: bool) -> list[Audience]:
        with self._lock:
            if not connected:
                for audience in self._audiences.values():
                    audience.confirmed = False
            unproven, self._unchecked = self._unchecked, set()
            return [
                audience
                for audience in self._audiences.values()
                # One that ended is looked at too: a restore may have lost its end.
                if everything
                or audience in unproven
                or (connected and not audience.confirmed and not audience.room.closed)
            ]

    def compare(self, audiences: Sequence[Audience]) -> None:
        """Brings each to where it stands in Postgres. Raises StoreAway, when all others have had their turn."""
        away: StoreAway | None = None
        heads: dict[str, Head] = {}
        stood = {audience.room.stream: audience.room.head for audience in audiences}
        streams = list(stood)
        for start in range(0, len(streams), ROOMS_AT_ONCE):
            heads |= self._heads(streams[start : start + ROOMS_AT_ONCE])
        for audience in in_turns(audiences):
            stream = audience.room.stream
            try:
                if stream in heads:
                    self._catch_up(audience, heads[stream], stood[stream])
            except StoreAway as error:
                away = error
            except Exception as error:
                self._faults.note(f"{stream} could not be compared with Postgres", error)
        if away is not None:
            raise away

    def refresh(self, audience: Audience) -> None:
        """Looks where the stream stands now; one look for all who ask at the same moment. Raises StoreAway."""
        self._single_flight(audience, lambda: self._look(audience))

    def refresh_until(self, audience: Audience, done: Callable[[], bool]) -> None:
        """Looks where the stream stands, again when that does not do: the first look may be one that was under way, and
        older than the question. Raises StoreAway."""
        for _ in range(2):
            if not done():
                self.refresh(audience)

    def refill(self, audience: Audience) -> None:
        """After a moment, in which the events before those that came early may come too."""
        try:
            self._stopped.wait(EARLY_SECONDS)
            self.refresh(audience)
        except StoreAway as error:
            logger.warning("refilling %s failed, the tail check will: %s", audience.room.stream, error)
        except Exception as error:
            self._faults.note(f"{audience.room.stream} could not be refilled", error)
        finally:
            audience.refilling = False

    def _look(self, audience: Audience) -> None:
        stream, stood = audience.room.stream, audience.room.head
        heads = self._heads([stream])
        if stream in heads:
            self._catch_up(audience, heads[stream], stood)

    def _heads(self, streams: Sequence[str]) -> dict[str, Head]:
        self._metrics.looks += 1
        return self._store.heads(streams)

    def _catch_up(self, audience: Audience, head: Head, stood: int) -> None:
        """Brings a room to where Postgres stands: through the ring when it fits, else by a jump. ``stood`` is where it
        was before the look."""
        room = audience.room
        # What is here was committed before it was heard, so a look that began later must find it.
        if head.last_seq < stood or room.contradicted:
            self._rewind(audience, head)
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
            if audience.registered:
                self._account(room.bytes - before)
            self._delivery.wake(audience)  # last: it may let go of events, and counts that itself

    def _rewind(self, audience: Audience, head: Head) -> None:
        """After a fail-over or a restore that lost commits. Nobody can tell which events were lost, so all viewers are
        told to begin anew."""
        room = audience.room
        logger.warning(
            "%s went back from %d to %d in Postgres: its viewers are told to begin anew",
            *(room.stream, room.head, head.last_seq),
        )
        with self._lock:
            before = room.bytes
            room.rewind(head.last_seq, head.pruned_to, head.closed)
            if audience.registered:
                self._account(room.bytes - before)
            self._metrics.rewound += 1
            self._delivery.rewind(audience)
