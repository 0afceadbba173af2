"""Clocks that a test controls."""

from __future__ import annotations

import time


class Clock:
    """Replaces a module's ``time``; it has only ``monotonic``."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Sleeper(Clock):
    """Its time advances with ``sleep``, and by 10 µs with each reading, so that a loop without a sleep ends too.
    ``late`` is added to each sleep."""

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
