"""How late one that sleeps wakes up: what every viewer waits on top."""

from __future__ import annotations

import threading
import time

from app.observability.histogram import Histogram

LAG_EVERY = 0.1
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class LoopLag:
    def __init__(self) -> None:
        self.late = Histogram(LAG_BUCKETS)
        self.longest = 0.0
        self._stopped = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="taskroom-lag", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def note(self, late: float) -> None:
        """``late`` in seconds."""
        self.late.note(late)
        self.longest = max(self.longest, late)

    def _run(self) -> None:
        due = time.monotonic() + LAG_EVERY
        while not self._stopped.wait(LAG_EVERY):
            now = time.monotonic()
            self.note(max(0.0, now - due))
            due = now + LAG_EVERY
