"""Settings for Python's garbage collector in a process with thousands of viewers, and measurements of its pauses."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from app.periodic import Periodic

GENERATIONS = 3
# With these a collection of the youngest generation takes 2 ms, of the middle one 10 ms. A full collection comes once
# in a million objects that stay, as many as one crowd of joining viewers creates. Measured: docs/performance.md.
THRESHOLDS = (5_000, 10, 20)
MIN_LEFT = 100  # viewers; after fewer a collection is not worth its pause
UNAUTHENTICATED_PER_VIEWER = 10  # so many connections without sign-in leave as much garbage as one viewer
CHECK_SECONDS = 1.0


def freeze() -> None:
    """Freezes all present objects, once the process is built: they stay to its end, and no collection visits them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


class CycleCollector:
    """Collects the garbage of viewers that have left: a request, its socket's buffers and the library's objects form
    cycles, 10 to 60 KB for each viewer. With the thresholds alone, a process whose viewers come and go would grow by
    tens of megabytes.

    ``present`` returns the number of viewers, ``left`` the number that have left since the start.
    """

    def __init__(self, present: Callable[[], int], left: Callable[[], int]) -> None:
        self._present, self._left = present, left
        self._left_before = 0  # at the last collection
        self.thread = Periodic("cycle-collector", CHECK_SECONDS, self.collect_if_due)

    def collect_if_due(self) -> bool:
        """Collects when many viewers have left; returns whether it did. A collection visits the objects of all viewers
        that stay, so half as many as stay must have left."""
        left = self._left()
        if left - self._left_before < max(MIN_LEFT, self._present() // 2):
            return False
        self._left_before = left
        gc.collect()
        return True


class Pauses:
    """Measures the pauses of collections, in seconds, by generation."""

    def __init__(self) -> None:
        self.count = [0] * GENERATIONS
        self.seconds = [0.0] * GENERATIONS
        self.longest = [0.0] * GENERATIONS
        self.all = 0.0  # the seconds of all generations
        self._began = 0.0

    def watch(self) -> None:
        gc.callbacks.append(self._note)

    def unwatch(self) -> None:
        gc.callbacks.remove(self._note)

    def _note(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
            return
        took, generation = time.perf_counter() - self._began, info["generation"]
        self.count[generation] += 1
        self.seconds[generation] += took
        self.all += took
        self.longest[generation] = max(self.longest[generation], took)
