"""What may come at once, and how much a second then."""

from __future__ import annotations

import time


class TokenBucket:
    """``burst`` may come at once; it is filled up again at ``per_second``."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst, self._per_second = burst, per_second
        self._left, self._at = float(burst), time.monotonic()

    def take(self, count: float = 1.0) -> float:
        """Takes so many. The seconds to wait for them, 0 while there are some."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second) - count
        self._at = now
        return max(0.0, -self._left / self._per_second)
