"""Catching up: a viewer that is behind goes on alone from its cursor, as fast as its wire takes, until it keeps up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from app.errors import causes
from app.stream.background import with_pauses
from app.stream.encoded_batch import BatchCache, EncodedBatch, first_batch
from app.stream.event import Event
from app.stream.history import History
from app.stream.hub_state import HubState
from app.stream.initial_state import InitialState, StateCache
from app.stream.parking import Parking
from app.stream.resync import Resync
from app.stream.shared_read import ReadOutcome
from app.stream.viewer import Viewer, failed
from app.stream.watched_room import WatchedRoom

logger = logging.getLogger("taskroom.catchup")

# For one viewer in one go, about half a megabyte: a reader as fast as this process would be sent a whole long log from
# memory while all others wait.
BATCHES_IN_A_ROW = 8


class Catchup:
    """Works under the hub's lock and never waits: a wire takes what it takes, and Postgres is read in other threads.

    ``refresh_until`` is that of the tail check: it compares a room with Postgres, and may wait.
    """

    def __init__(
        self,
        hub: HubState,
        stalled_seconds: float,
        refresh_until: Callable[[WatchedRoom, Callable[[], bool]], None],
    ) -> None:
        self._lock, self._metrics, self._faults = hub.lock, hub.metrics, hub.faults
        self._rooms, self._stalled_seconds = hub.rooms, stalled_seconds
        self._refresh_until = refresh_until
        self._history, self.states = History(hub.store), StateCache()
        self._unanswered: set[Viewer] = set()  # Postgres did not answer when it was read for them
        self._batches, self.parking = BatchCache(), Parking()

    @property
    def viewers(self) -> int:
        """How many wait for their wires or for Postgres."""
        return len(self.parking) + len(self._unanswered)

    def advance(self, viewer: Viewer, step: Callable[[Viewer], None] | None = None) -> None:
        """Sends the viewer what its wire takes: the unsent remainder, then events of the ring and of Postgres; takes it
        into its cohort when it has caught up. With ``step``, calls ``step(viewer)`` instead of all this."""
        gone = False
        with self._lock:
            self.parking.discard(viewer)
            if viewer.closed is None and viewer.cohort is None and viewer.wire is not None:
                try:
                    (step or self._advance)(viewer)
                except OSError:
                    gone = True
                except Exception as error:  # the fault of a wire or codec ends this viewer alone
                    self._faults.note(failed(viewer), error)
                    gone = True
        if gone:
            viewer.close("gone")

    def fall_behind(self, viewer: Viewer, batch: EncodedBatch, taken: int) -> None:
        """The viewer's wire took ``taken`` of the batch; the viewer goes on from there when the wire takes more."""
        now = batch.position_after(taken)
        viewer.own_cursor = now.cursor
        self._metrics.sent(batch.codec, batch.types_up_to(viewer.own_cursor))
        if now.remainder:
            viewer.wire.hold_remainder(now.remainder)  # type: ignore[union-attr]
        self.parking.park(viewer)

    def forget(self, stream: str) -> None:
        """What was read of that stream, and encoded of it, is no longer true."""
        self._batches.clear()
        self._history.drop(stream)
        self.states.drop(stream)

    def drop(self, viewer: Viewer) -> None:
        """The viewer was closed: it waits for nothing any more."""
        self.parking.discard(viewer)
        self._unanswered.discard(viewer)

    def sweep(self, now: float) -> None:
        """Closes viewers that took nothing for too long, and drops what was kept for others. Called once a second.

        A viewer that waits for Postgres asks again: if whole rooms were closed at once, their viewers would come back
        to ask for the same.
        """
        with self._lock:
            self._batches.clear()
            self._history.forget(now)
            self.states.forget(now)
            stalled = [v for v in self.parking if now - v.progress_at > self._stalled_seconds]
            unanswered, self._unanswered = self._unanswered, set()
        for viewer in with_pauses(stalled):
            viewer.close("stalled")
        for viewer in with_pauses(unanswered):
            if now - viewer.progress_at > self._stalled_seconds:
                viewer.close("unavailable")
            else:
                self.advance(viewer)

    def _advance(self, viewer: Viewer) -> None:
        wire, room = viewer.wire, viewer.room
        assert wire is not None
        if not self.parking.send_remainder(viewer):
            return
        if viewer.resync is not None:
            if self.parking.send(viewer, wire.codec.resync(viewer.resync)):
                viewer.own_cursor, viewer.resync = viewer.resync.cursor, None
                self._advance(viewer)
            return
        if viewer.initial is not None and not self._send_initial(viewer, viewer.initial):
            return
        in_a_row = 0
        while viewer.own_cursor < room.head:
            if in_a_row == BATCHES_IN_A_ROW:
                self.parking.park(viewer)  # its wire takes more at once, but the others come first
                return
            in_a_row += 1
            batch = self._batch(viewer)
            if batch is None:
                cursor = viewer.own_cursor
                self._read(viewer, cursor, partial(self._overtaken, viewer, cursor, room.pruned_to))
                return
            taken = self.parking.offer(viewer, batch.data) if batch.data else 0
            if taken < len(batch.data):
                self.fall_behind(viewer, batch, taken)
                return
            self._metrics.sent(batch.codec, batch.types_up_to(batch.cursor))
            viewer.own_cursor = batch.cursor
        if room.closed:
            self._end(viewer)
        else:
            self._rooms[room.stream].arrive(viewer, wire.codec)

    def _send_initial(self, viewer: Viewer, initial: InitialState) -> bool:
        """Sends the initial state, as far as the wire takes it; True when all of it is sent."""
        stream = viewer.room.stream
        if (rest := self.states.unsent(stream, initial)) is None:
            self.states.read(stream, partial(self._go_on, viewer))
            return False
        while rest:
            events = first_batch(rest, codec := viewer.wire.codec)  # type: ignore[union-attr]
            if not self.parking.send(viewer, codec.join([codec.frame(e) for e in events])):
                return False
            self._metrics.sent(codec, [e.type for e in events])
            initial.sent_to, rest = events[-1].sequence, rest[len(events) :]
            if not self.parking.send_remainder(viewer):
                return False
        viewer.initial = None
        return True

    def _batch(self, viewer: Viewer) -> EncodedBatch | None:
        """The next batch for this viewer and all others at its cursor; None when its events must be read first."""
        room, codec = viewer.room, viewer.wire.codec  # type: ignore[union-attr]
        key = room.stream, codec, viewer.filter, viewer.own_cursor
        batch = self._batches.get(key)
        if batch is None:
            events = room.after(viewer.own_cursor)
            if events is None:  # a page may reach beyond the room's head, which is from an older look
                events = self._history.after(room.stream, viewer.own_cursor, room.pruned_to)
                events = events[: room.head - viewer.own_cursor]
            if not events:
                return None
            batch = EncodedBatch.of(events, codec, viewer.filter)
            if codec.shared:
                self._batches.keep(key, batch)
        return batch

    def _read(self, viewer: Viewer, cursor: int, when_empty: Callable[[], None]) -> None:
        """Reads the events after the cursor and goes on; ``when_empty`` when Postgres has none that follow it."""

        def then(outcome: ReadOutcome) -> None:
            if outcome is not ReadOutcome.EMPTY:
                self._go_on(viewer, outcome)
            elif viewer.closed is None:
                when_empty()

        self._history.read(viewer.room.stream, cursor, viewer.room.pruned_to, then)

    def _go_on(self, viewer: Viewer, outcome: ReadOutcome) -> None:
        if outcome is ReadOutcome.RETRY:
            self._wait_for_postgres(viewer)
        elif outcome is ReadOutcome.FAILED:
            viewer.close("unavailable")
        else:
            self.advance(viewer)

    def _wait_for_postgres(self, viewer: Viewer) -> None:
        with self._lock:
            if viewer.closed is None:
                self._unanswered.add(viewer)

    def _overtaken(self, viewer: Viewer, cursor: int, pruned_to: int) -> None:
        """Postgres has no event that follows the cursor without a gap; the room was pruned to ``pruned_to`` then."""
        room = viewer.room
        try:
            if viewer.own_cursor == cursor:  # else the room was rewound meanwhile: the viewer has a resync
                self._refresh_until(self._rooms[room.stream], lambda: room.pruned_to != pruned_to)
        except Exception as error:
            if causes.of(error).is_temporary:
                self._wait_for_postgres(viewer)
            else:
                self._faults.note(f"{room.stream} could not be looked up", error)
                viewer.close("unavailable")
            return
        if viewer.own_cursor == cursor < room.pruned_to:
            # Pruned past the cursor since the room or the viewer was opened: it goes on at the oldest event.
            viewer.resync = Resync(room.stream, "pruned", room.pruned_to + 1, room.head)
        elif viewer.own_cursor == cursor and room.pruned_to == pruned_to:
            # Nothing was pruned, so Postgres has lost events: the viewer goes on live.
            logger.error("%s has a hole after %d", room.stream, cursor)
            viewer.resync = Resync(room.stream, "pruned", room.head + 1, room.head)
        # Else pruned up to the cursor or less: the page begins at another event now and is read again.
        self.advance(viewer)

    def _end(self, viewer: Viewer) -> None:
        room = viewer.room
        last = room.after(room.head - 1) or self._history.after(room.stream, room.head - 1, room.pruned_to)
        if last:
            self._send_end(viewer, last[-1])
        else:  # when the last event is pruned too, how the stream ended is not known
            self._read(viewer, room.head - 1, partial(self.advance, viewer, self._send_end))

    def _send_end(self, viewer: Viewer, last: Event | None = None) -> None:
        codec = viewer.wire.codec  # type: ignore[union-attr]
        if self.parking.send(viewer, codec.end(viewer.room.stream, last, viewer.own_cursor)):
            viewer.end_begun = True
            self.parking.send_remainder(viewer)
