"""What the parts of a hub share: the rooms, the lock around them, and the limit of what the rooms keep in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from app.stream.faults import Faults
from app.stream.metrics import DeliveryMetrics
from app.stream.store import Store
from app.stream.watched_room import WatchedRoom

RINGS_BYTES = 64_000_000  # of all rooms; events that do not fit are read from Postgres


@dataclass(slots=True, eq=False)
class HubState:
    """``rooms`` are by stream. ``lock`` is held by all who change a room, its viewers or these fields."""

    store: Store
    rooms: dict[str, WatchedRoom] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    ring_bytes: int = 0
    metrics: DeliveryMetrics = field(default_factory=DeliveryMetrics)
    faults: Faults = field(default_factory=Faults)

    def account(self, watched: WatchedRoom, before: int) -> None:
        """Counts a change of the room's ring, which had ``before`` bytes. Keeps all rings within their limit: the rooms
        that were quiet for longest drop their events."""
        if watched.registered:
            self.ring_bytes += watched.room.bytes - before
        if self.ring_bytes > RINGS_BYTES:
            for watched in sorted(self.rooms.values(), key=lambda watched: watched.flushed_at):
                self.ring_bytes -= watched.room.bytes
                watched.room.forget()
                if self.ring_bytes < RINGS_BYTES * 0.9:
                    break
