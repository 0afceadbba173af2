"""Viewers that are behind: each goes on alone from its cursor, as fast as its wire takes, until it keeps up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from app.stream.audience import Audience
from app.stream.background import in_turns
from app.stream.codec import Data
from app.stream.encoded_batch import EncodedBatch, first_of
from app.stream.event import Event
from app.stream.faults import Faults
from app.stream.history import History
from app.stream.metrics import DeliveryMetrics
from app.stream.present import First, Presents
from app.stream.resync import Resync
from app.stream.shared_read import Outcome
from app.stream.store import Store, StoreAway
from app.stream.viewer import Viewer, failed, offered

logger = logging.getLogger("taskroom.behind")

# Joined buffers kept for a second, for those who catch up from the same cursor.
KEPT_BATCHES = 64
KEPT_BYTES = 8_000_000
# For one viewer in one go, half a megabyte about: a reader as fast as we are would be sent a whole long log, from
# memory, while all others wait.
BATCHES_IN_A_ROW = 8


class Catchup:
    """Everything under ``lock`` and without waiting: a wire takes what it takes, and Postgres is read elsewhere."""

    def __init__(
        self,
        store: Store,
        audiences: Mapping[str, Audience],
        lock: AbstractContextManager[Any],
        refresh_until: Callable[[Audience, Callable[[], bool]], None],
        stalled_seconds: float,
        metrics: DeliveryMetrics,
        faults: Faults,
    ) -> None:
        self._audiences, self._lock = audiences, lock
        self._refresh_until, self._stalled_seconds = refresh_until, stalled_seconds
        self._history, self.presents = History(store), Presents()
        self._faults, self._metrics = faults, metrics
        self._parked: set[Viewer] = set()  # their wires take nothing for now
        self._unread: set[Viewer] = set()  # Postgres did not answer them
        self._batches: dict[tuple[object, ...], EncodedBatch] = {}
        self._batches_bytes = 0

    def advance(self, viewer: Viewer) -> None:
        """As far as its wire takes: what is unsent, the ring, Postgres, and into the cohort of those who keep up."""
        gone = False
        with self._lock:
            self._parked.discard(viewer)
            if viewer.closed is None and viewer.cohort is None and viewer.wire is not None:
                try:
                    self._advance(viewer)
                except OSError:
                    gone = True
                except Exception as error:  # a fault of its wire or codec is this viewer's alone
                    self._faults.note(failed(viewer), error)
                    gone = True
        if gone:
            viewer.close("gone")

    def cut(self, viewer: Viewer, burst: EncodedBatch, taken: int) -> None:
        """Its wire took so much of the burst: it goes on alone from there, when the wire takes more."""
        cut = burst.cut(taken)
        viewer.start = cut.cursor
        self._metrics.sent(burst.codec, burst.told(viewer.start))
        if cut.remainder:
            viewer.wire.hold_remainder(cut.remainder)  # type: ignore[union-attr]
        self.park(viewer)

    def park(self, viewer: Viewer) -> None:
        if viewer.closed is None:
            self._parked.add(viewer)
            viewer.wire.call_when_writable(viewer)  # type: ignore[union-attr]

    def forget(self, stream: str) -> None:
        """What was read of that stream, and made of it, holds no more."""
        self._batches.clear()
        self._batches_bytes = 0
        self._history.drop(stream)
        self.presents.drop(stream)

    def leave(self, viewer: Viewer) -> None:
        self._parked.discard(viewer)
        self._unread.discard(viewer)

    @property
    def viewers(self) -> int:
        """How many wait for their wires, or for Postgres."""
        return len(self._parked) + len(self._unread)

    def sweep(self, now: float) -> None:
        """Once a second or so: drops who took nothing for too long, and forgets buffers nobody came for.

        Who waits for Postgres asks again: sent away at once, whole rooms would come back to ask for the same.
        """
        with self._lock:
            self._batches.clear()
            self._batches_bytes = 0
            self._history.forget(now)
            self.presents.forget(now)
            stalled = [v for v in self._parked if now - v.progress_at > self._stalled_seconds]
            unread, self._unread = self._unread, set()
        for viewer in in_turns(stalled):
            viewer.close("stalled")
        for viewer in in_turns(unread):
            if now - viewer.progress_at > self._stalled_seconds:
                viewer.close("unavailable")
            else:
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
        if viewer.first is not None and not self._told_first(viewer, viewer.first):
            return
        in_a_row = 0
        while viewer.start < room.head:
            if in_a_row == BATCHES_IN_A_ROW:
                self.park(viewer)  # its wire takes more at once, when it is its turn again
                return
            in_a_row += 1
            burst = self._batch(viewer)
            if burst is None:
                self._read_back(
                    viewer, viewer.start, partial(self._overtaken, viewer, viewer.start, room.pruned_to)
                )
                return
            taken = self._offer(viewer, burst.data) if burst.data else 0
            if taken < len(burst.data):
                self.cut(viewer, burst, taken)
                return
            self._metrics.sent(burst.codec, burst.told(burst.cursor))
            viewer.start = burst.cursor
        self._arrive(viewer)

    def _told_first(self, viewer: Viewer, first: First) -> bool:
        """Tells it the present state, as far as its wire takes; True when it knows all of it."""
        stream = viewer.room.stream
        if (rest := self.presents.of(stream, first)) is None:
            self.presents.read(stream, partial(self._answered, viewer))
            return False
        while rest:
            told = first_of(rest, codec := viewer.wire.codec)  # type: ignore[union-attr]
            if not self._say(viewer, codec.join([codec.frame(e) for e in told])):
                return False
            self._metrics.sent(codec, [e.type for e in told])
            first.told, rest = told[-1].sequence, rest[len(told) :]
            if not self._settled(viewer):
                return False
        viewer.first = None
        return True

    def _arrive(self, viewer: Viewer) -> None:
        room, wire = viewer.room, viewer.wire
        assert wire is not None
        if room.closed:
            self._end(viewer)
            return
        self._audiences[room.stream].arrive(viewer, wire.codec)

    def _batch(self, viewer: Viewer) -> EncodedBatch | None:
        """What comes next for this viewer and all who stand where it does; None when it must be read first."""
        room, codec = viewer.room, viewer.wire.codec  # type: ignore[union-attr]
        key = room.stream, codec, viewer.filter, viewer.start
        burst = self._batches.get(key)
        if burst is None:
            events = room.after(viewer.start)
            if events is None:  # a page may reach beyond the room's head, which came from an older look
                events = self._history.after(room.stream, viewer.start, room.pruned_to)
                events = events[: room.head - viewer.start]
            if not events:
                return None
            burst = EncodedBatch.of(events, codec, viewer.filter)
            if codec.shared:
                self._keep(key, burst)
        return burst

    def _keep(self, key: tuple[object, ...], burst: EncodedBatch) -> None:
        self._batches[key] = burst
        self._batches_bytes += burst.size
        while len(self._batches) > KEPT_BATCHES or (
            self._batches_bytes > KEPT_BYTES and len(self._batches) > 1
        ):
            self._batches_bytes -= self._batches.pop(next(iter(self._batches))).size

    def _read_back(self, viewer: Viewer, cursor: int, otherwise: Callable[[], None]) -> None:
        def arrived(outcome: Outcome) -> None:
            if outcome is not Outcome.EMPTY:
                self._answered(viewer, outcome)
            elif viewer.closed is None:
                otherwise()

        self._history.read(viewer.room.stream, cursor, viewer.room.pruned_to, arrived)

    def _answered(self, viewer: Viewer, outcome: Outcome) -> None:
        if outcome is Outcome.RETRY:
            self._wait_for_postgres(viewer)
        elif outcome is Outcome.FAILED:
            viewer.close("unavailable")
        else:
            self.advance(viewer)

    def _wait_for_postgres(self, viewer: Viewer) -> None:
        with self._lock:
            if viewer.closed is None:
                self._unread.add(viewer)

    def _overtaken(self, viewer: Viewer, cursor: int, pruned_to: int) -> None:
        """Postgres has no event that follows the cursor without a gap; ``pruned_to`` is what the room knew then."""
        room = viewer.room
        try:
            if (
                viewer.start == cursor
            ):  # else the room was rewound meanwhile, and the viewer has a resync already
                self._refresh_until(self._audiences[room.stream], lambda: room.pruned_to != pruned_to)
        except StoreAway:
            self._wait_for_postgres(viewer)
            return
        if viewer.start == cursor < room.pruned_to:
            # Pruned past the cursor since the room, or this viewer, was opened: it goes on at the oldest event.
            viewer.resync = Resync(room.stream, "pruned", room.pruned_to + 1, room.head)
        elif viewer.start == cursor and room.pruned_to == pruned_to:
            # Nothing was pruned: events are missing in Postgres. The viewer goes on live.
            logger.error("%s has a hole after %d", room.stream, cursor)
            viewer.resync = Resync(room.stream, "pruned", room.head + 1, room.head)
        # Else pruned up to the cursor or before it: the page begins elsewhere now, and is read again.
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
            except Exception as error:
                self._faults.note(failed(viewer), error)
                viewer.close("gone")

    def _settled(self, viewer: Viewer) -> bool:
        """Sends what the wire owes; False when it was parked or has nothing more to say."""
        wire = viewer.wire
        assert wire is not None
        unsent, settled = wire.unsent, wire.send_remainder()
        if wire.unsent < unsent:
            viewer.progress_at = time.monotonic()
        if not settled:
            self.park(viewer)
        elif viewer.ending:
            viewer.close("ended")
        return settled and not viewer.ending

    def _say(self, viewer: Viewer, data: Data) -> bool:
        """Words that are no events. False when not one of them could be said and the viewer was parked."""
        taken = self._offer(viewer, data)
        if taken == 0:
            self.park(viewer)
        elif taken < len(data):
            viewer.wire.hold_remainder(data[taken:])  # type: ignore[union-attr]
        return taken > 0

    def _offer(self, viewer: Viewer, data: Data) -> int:
        taken = offered(viewer, data)
        if taken < 0:
            raise ConnectionError
        if taken:
            viewer.progress_at = time.monotonic()
        return taken
