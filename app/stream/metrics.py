"""Counters of events and viewers, for the metrics: added to once a batch, never for each viewer and event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

# A publisher that makes up types could otherwise fill the memory and the metrics with them.
COUNTED_TYPES = (
    *("task_status", "phase_update", "phase_complete", "log", "log_group"),
    *("agent_started", "agent_completed", "approval_needed", "approval_decided"),
    *("task_created", "status_changed", "task_completed", "notification", "notifications_read"),
    *("artifact.started", "artifact.progress", "artifact.completed", "artifact.failed", "artifact.cancelled"),
)
OTHER = "other"


class EventCounts:
    """Events by type. Types that are not Taskroom's own count as ``other``."""

    def __init__(self) -> None:
        self.of = dict.fromkeys((*COUNTED_TYPES, OTHER), 0)

    def add(self, types: Iterable[str], times: int = 1) -> None:
        of = self.of
        for type in types:
            of[type if type in of else OTHER] += times


class DeliveryMetrics:
    """What a hub delivered and what became of its viewers; counted under the hub's lock."""

    def __init__(self) -> None:
        self._sent: dict[type, EventCounts] = {}  # events by the class of the codec that encoded them
        self.ended: Counter[str] = Counter()  # viewers by reason
        self.fell_behind = 0  # times that a wire took less than it was offered
        self.received = 0  # messages from Redis for a room of this process
        self.refills = 0  # times that a room read the events before those that came early
        self.looks = 0  # queries of the tail check
        self.caught_up = 0  # rooms whose head such a query moved
        self.rewound = 0  # rooms whose events Postgres had lost

    def sent(self, codec: object, types: Iterable[str], viewers: int = 1) -> None:
        counted = self._sent.get(codec.__class__)
        if counted is None:
            counted = self._sent[codec.__class__] = EventCounts()
        counted.add(types, viewers)

    def sent_by(self, *codecs: type) -> EventCounts:
        """Returns the events that codecs of these classes, and of classes derived from them, encoded."""
        found = EventCounts()
        for codec, types in list(self._sent.items()):
            if issubclass(codec, codecs):
                for name, count in types.of.items():
                    found.of[name] += count
        return found
