"""A watched room: the viewers of a room, the cohorts they stand in, and when they are sent the room's events."""

from __future__ import annotations

import time
from collections.abc import Iterator

from app.stream.codec import Codec, Filter
from app.stream.room import Room
from app.stream.viewer import Cohort, Viewer

COHORT_VIEWERS = 250  # one is sent a batch in one go


class WatchedRoom:
    """Changed only under the hub's lock."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.registered = False  # the hub has it, and the stream's channel is subscribed to
        self.confirmed = False  # Redis has confirmed the subscription; until then the room is polled
        self.refilling = False  # a thread is about to read the events before those that came early
        self.viewers: set[Viewer] = set()
        self.cohorts: dict[tuple[Codec, Filter], list[Cohort]] = {}
        self.arriving: list[Viewer] = []  # caught up while their cohort waits for its tick
        self.work: Iterator[None] | None = None  # what is still to be done of a flush, in short pieces
        self.worked = 0.0  # seconds of CPU time that the flush took until now
        self.empty_since: float | None = None
        self.flushed_at = 0.0  # monotonic time at which the viewers were last sent something
        self.next_flush_at = 0.0  # events that come before that time wait for a tick

    def add(self, viewer: Viewer) -> None:
        self.viewers.add(viewer)
        self.empty_since = None

    def remove(self, viewer: Viewer) -> None:
        cohort = viewer.cohort
        if cohort is not None:
            cohort.exit(viewer)
            self.forget_empty(cohort)  # a quiet room would keep the cohorts of all viewers that ever came
        self.viewers.discard(viewer)
        if not self.viewers:
            self.empty_since = time.monotonic()

    def arrive(self, viewer: Viewer, codec: Codec) -> None:
        """Takes a viewer that has caught up with the room's head into a cohort."""
        key, behind = (codec, viewer.filter), False
        for cohort in self.cohorts.get(key, ()):
            if not cohort.viewers:
                cohort.cursor = self.room.head
            if cohort.cursor != viewer.own_cursor:
                behind = True
            elif len(cohort.viewers) < COHORT_VIEWERS:
                cohort.enter(viewer)
                return
        if behind or viewer.own_cursor != self.room.head:
            self.arriving.append(viewer)  # the cohort is behind until its tick; the viewer enters after that
        else:
            cohort = Cohort(codec, viewer.filter, self.room.head)
            self.cohorts.setdefault(key, []).append(cohort)
            cohort.enter(viewer)

    def lingered(self, now: float, seconds: float) -> bool:
        return not self.viewers and self.empty_since is not None and now - self.empty_since > seconds

    def forget_empty(self, cohort: Cohort) -> None:
        key = cohort.codec, cohort.filter
        cohorts = self.cohorts.get(key, [])
        if not cohort.viewers and cohort in cohorts:
            cohorts.remove(cohort)
            if not cohorts:
                del self.cohorts[key]
