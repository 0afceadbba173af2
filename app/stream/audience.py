"""An audience: the viewers of one room, and when they are sent its events."""

from __future__ import annotations

import time

from app.stream.codec import Codec, Filter
from app.stream.room import Room
from app.stream.viewer import Cohort, Viewer


class Audience:
    """All under the hub's lock."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.registered = False  # it is the hub's audience of the stream, and its channel is subscribed to
        self.confirmed = False  # Redis has confirmed the subscription; until then the room is polled
        self.refilling = False
        self.viewers: set[Viewer] = set()
        self.cohorts: dict[tuple[Codec, Filter], Cohort] = {}
        self.arriving: list[Viewer] = []  # caught up while their cohort waits for its tick
        self.empty_since: float | None = None
        self.flushed_at = 0.0  # monotonic time at which the viewers were last sent something
        self.next_flush_at = 0.0  # what comes before that waits for a tick

    def add(self, viewer: Viewer) -> None:
        self.viewers.add(viewer)
        self.empty_since = None

    def remove(self, viewer: Viewer) -> None:
        cohort = viewer.cohort
        if cohort is not None:
            cohort.exit(viewer)
            self.forget_empty(cohort)  # a quiet room would keep the cohorts of all who ever came
        self.viewers.discard(viewer)
        if not self.viewers:
            self.empty_since = time.monotonic()

    def arrive(self, viewer: Viewer, codec: Codec) -> None:
        """A viewer has caught up with the room's head."""
        key, head = (codec, viewer.filter), self.room.head
        cohort = self.cohorts.get(key)
        if cohort is None:
            cohort = self.cohorts[key] = Cohort(*key, head)
        elif not cohort.viewers:
            cohort.cursor = head
        if cohort.cursor == viewer.start:
            cohort.enter(viewer)
        else:
            self.arriving.append(viewer)  # the cohort waits for its tick: with the others after that

    def forget_empty(self, cohort: Cohort) -> None:
        if not cohort.viewers and self.cohorts.get(cohort.key) is cohort:
            del self.cohorts[cohort.key]
