"""Time that passes when a test says so."""

from __future__ import annotations


class Clock:
    """Stands in for a module's ``time``: only ``monotonic`` may be asked."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now
