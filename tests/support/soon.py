"""Waits that a test ends: how long each would have been is noted."""

from __future__ import annotations

import threading


class Soon(threading.Event):
    """Stands in for the event of a ``Periodic``: a wait that would take time ends when the test sets it."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return super().wait(60 if timeout else 0)
