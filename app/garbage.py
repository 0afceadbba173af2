"""Python's garbage collector: out of the way of thousands of viewers, and watched."""

from __future__ import annotations

import gc
import time
from typing import Any

GENERATIONS = 3
# A collection of the youngest takes 2 ms, of the middle 10; all are looked through once in a million objects
# that came to stay, which is the crowd of one join. Measured: docs/performance.md.
THRESHOLDS = (5_000, 10, 20)


def settle() -> None:
    """Once the process is built: what it is made of stays to its end and is never looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


class Pauses:
    """How long collections stopped everything. All times are in seconds, by generation."""

    def __init__(self) -> None:
        self.count = [0] * GENERATIONS
        self.seconds = [0.0] * GENERATIONS
        self.longest = [0.0] * GENERATIONS
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
        self.longest[generation] = max(self.longest[generation], took)
