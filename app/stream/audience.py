"""An audience: the viewers of one room, and when they are sent its events."""

from __future__ import annotations

import time

from app.stream.burst import Codec, Filter
from app.stream.room import Room
from app.stream.viewer import Lane, Viewer


class Audience:
    """All under the hub's lock."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.registered = False  # it is the hub's audience of the stream, and its channel is subscribed to
        self.confirmed = False  # Redis has confirmed the subscription; until then the room is polled
        self.refilling = False
        self.viewers: set[Viewer] = set()
        self.lanes: dict[tuple[Codec, Filter], Lane] = {}
        self.arriving: list[Viewer] = []  # caught up while their lane waits for its tick
        self.empty_since: float | None = None
        self.woken_at = 0.0  # monotonic time at which the viewers were last sent something
        self.rests_until = 0.0  # what comes before that waits for a tick

    def add(self, viewer: Viewer) -> None:
        self.viewers.add(viewer)
        self.empty_since = None

    def remove(self, viewer: Viewer) -> None:
        lane = viewer.lane
        if lane is not None:
            lane.exit(viewer)
            self.forget_empty(lane)  # a quiet room would keep the lanes of all who ever came
        self.viewers.discard(viewer)
        if not self.viewers:
            self.empty_since = time.monotonic()

    def arrive(self, viewer: Viewer, codec: Codec) -> None:
        """A viewer has caught up with the room's head."""
        key, head = (codec, viewer.filter), self.room.head
        lane = self.lanes.get(key)
        if lane is None:
            lane = self.lanes[key] = Lane(*key, head)
        elif not lane.viewers:
            lane.cursor = head
        if lane.cursor == viewer.start:
            lane.enter(viewer)
        else:
            self.arriving.append(viewer)  # the lane waits for its tick: with the others after that

    def forget_empty(self, lane: Lane) -> None:
        if not lane.viewers and self.lanes.get(lane.key) is lane:
            del self.lanes[lane.key]
