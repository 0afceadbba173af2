"""A watched room: the viewers of a room, the cohorts they stand in, and when they are sent the room's events."""

from __future__ import annotations

import time

from app.stream.codec import Codec, Filter
from app.stream.room import Room
from app.stream.viewer import Cohort, Viewer


class WatchedRoom:
    """Changed only under the hub's lock."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.registered = False  # the hub has it, and the stream's channel is subscribed to
        self.confirmed = False  # Redis has confirmed the subscription; until then the room is polled
        self.refilling = False  # a thread is about to read the events before those that came early
        self.viewers: set[Viewer] = set()
        self.cohorts: dict[tuple[Codec, Filter], Cohort] = {}
        self.arriving: list[Viewer] = []  # caught up while their cohort waits for its tick
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
        """Takes a viewer that has caught up with the room's head into its cohort."""
        key = codec, viewer.filter
        cohort = self.cohorts.get(key)
        if cohort is None:
            cohort = self.cohorts[key] = Cohort(codec, viewer.filter, self.room.head)
        elif not cohort.viewers:
            cohort.cursor = self.room.head
        if cohort.cursor == viewer.own_cursor:
            cohort.enter(viewer)
        else:
            self.arriving.append(viewer)  # the cohort is behind until its tick; the viewer enters after that

    def lingered(self, now: float, seconds: float) -> bool:
        return not self.viewers and self.empty_since is not None and now - self.empty_since > seconds

    def forget_empty(self, cohort: Cohort) -> None:
        key = cohort.codec, cohort.filter
        if not cohort.viewers and self.cohorts.get(key) is cohort:
            del self.cohorts[key]
