"""Time that passes when a test says so."""

from __future__ import annotations

import time


class Clock:
    """Stands in for a module's ``time``: only ``monotonic`` may be asked."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Sleeper(Clock):
    """Time passes while somebody sleeps, and hardly at all with each look at the clock: who only looks gets on as
    well, ever so slowly. ``late`` is by how much each sleep is too long."""

    CLOCK_MONOTONIC = time.CLOCK_MONOTONIC

    def __init__(self, late: float = 0.0) -> None:
        super().__init__()
        self.slept, self.late = 0.0, late

    def monotonic(self) -> float:
        self.now += 1e-5
        return self.now

    def perf_counter_ns(self) -> int:
        return round(self.now * 1e9)

    def clock_gettime_ns(self, _: int) -> int:
        return round(self.now * 1e9)

    def sleep(self, seconds: float) -> None:
        self.now += seconds + self.late
        self.slept += seconds
