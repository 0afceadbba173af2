"""Reports of an observed attempt: what is over a limit is cut, as a worker's library does it, and not refused."""

from __future__ import annotations

from collections.abc import Callable

from app.stream.event import Draft
from app.tasks.lifecycle import Claim
from app.tasks.observed.part import name_of
from app.tasks.reports import NAME_LIMIT, PHASE_LIMIT, Reports

FURTHER = "further phases"
UNNAMED = "phase"


class ObservedReports(Reports):
    """The caller holds the lock of the stream, so the events are not fenced: a batch may have those of two attempts."""

    takes_only = True

    def __init__(self, claim: Claim, put: Callable[[Draft], None], clock: Callable[[], float]) -> None:
        super().__init__(claim, put, clock)
        self.fence = None

    def phase_name(self, phase_id: str) -> str:
        """Returns the name as events hold it. All phases beyond the limit share one name."""
        name = name_of(phase_id, NAME_LIMIT) or UNNAMED
        if name not in self.names and len(self.names) >= PHASE_LIMIT:
            return FURTHER
        return super().phase_name(name)
