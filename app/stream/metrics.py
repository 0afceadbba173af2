"""What a process counts for its metrics: by the burst and batch, never for each viewer and event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

# Who publishes types of his own could else fill the memory, and the metrics with them.
COUNTED_TYPES = (
    *("task_status", "phase_update", "phase_complete", "log"),
    *("agent_started", "agent_completed", "approval_needed", "approval_decided"),
    *("task_created", "status_changed", "task_completed", "notification", "notifications_read"),
    *("artifact.started", "artifact.progress", "artifact.completed", "artifact.failed", "artifact.cancelled"),
)
OTHER = "other"


class EventCounts:
    """How many events of each type that is Taskroom's own; the rest counts as ``other``."""

    def __init__(self) -> None:
        self.of = dict.fromkeys((*COUNTED_TYPES, OTHER), 0)

    def add(self, types: Iterable[str], times: int = 1) -> None:
        of = self.of
        for type in types:
            of[type if type in of else OTHER] += times

    @property
    def total(self) -> int:
        return sum(self.of.values())


class DeliveryMetrics:
    """What became of the viewers of a hub, which counts under its lock."""

    def __init__(self) -> None:
        self._sent: dict[type, EventCounts] = {}  # events, by the class of the codec that they went out in
        self.ended: Counter[str] = Counter()  # viewers, by why
        self.fell_behind = 0  # times that a wire took less than it was offered
        self.received = 0  # messages of the subscription for a room that is here
        self.refills = 0  # times that events which came early made a room ask Postgres for those before them
        self.looks = 0  # of the tail check at Postgres
        self.caught_up = 0  # rooms that a look brought forward
        self.rewound = 0  # rooms of which Postgres had lost events

    def sent(self, codec: object, types: Iterable[str], viewers: int = 1) -> None:
        counted = self._sent.get(codec.__class__)
        if counted is None:
            counted = self._sent[codec.__class__] = EventCounts()
        counted.add(types, viewers)

    def sent_by(self, *codecs: type) -> EventCounts:
        """All that went out in formats of these classes and of those derived from them."""
        found = EventCounts()
        for codec, types in list(self._sent.items()):
            if issubclass(codec, codecs):
                for name, count in types.of.items():
                    found.of[name] += count
        return found
