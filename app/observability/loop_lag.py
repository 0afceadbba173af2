"""How late one that sleeps wakes up: what every viewer waits on top."""

from __future__ import annotations

import math
import time

from prometheus_client import Histogram

from app.periodic import Periodic

LAG_EVERY = 0.1
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class LoopLag:
    def __init__(self) -> None:
        about = "How late a greenlet that slept 0.1 s woke up"
        self.late = Histogram("taskroom_loop_lag_seconds", about, buckets=LAG_BUCKETS, registry=None)
        self.longest = 0.0
        self._due = math.inf  # the first call has nothing to compare with
        self.thread = Periodic("lag", LAG_EVERY, self._look)

    def note(self, late: float) -> None:
        """``late`` in seconds."""
        self.late.observe(late)
        self.longest = max(self.longest, late)

    def _look(self) -> None:
        now = time.monotonic()
        self.note(max(0.0, now - self._due))
        self._due = now + LAG_EVERY
