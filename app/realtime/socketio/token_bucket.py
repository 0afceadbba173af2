"""A token bucket: how much may come at once, and how much a second after that."""

from __future__ import annotations

import time


class TokenBucket:
    """``burst`` tokens may be taken at once; they are filled up again at ``per_second``."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst, self._per_second = burst, per_second
        self._left, self._at = float(burst), time.monotonic()

    def take(self, count: float = 1.0) -> float:
        """Takes ``count`` tokens; returns the seconds to wait for them, 0 while there are enough."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second) - count
        self._at = now
        return max(0.0, -self._left / self._per_second)
