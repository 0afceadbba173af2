"""Python's garbage collector: out of the way of thousands of viewers, and watched."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from typing import Any

GENERATIONS = 3
# A collection of the youngest takes 2 ms, of the middle 10; all are looked through once in a million objects
# that came to stay, which is the crowd of one join. Measured: docs/performance.md.
THRESHOLDS = (5_000, 10, 20)
FEW_LEFT = 100  # viewers
STRANGERS_A_VIEWER = 10  # who never signed in and left as much behind
SWEEP_SECONDS = 1.0


def settle() -> None:
    """Once the process is built: what it is made of stays to its end and is never looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


class Leftovers:
    """Collects what viewers leave behind: a request, its socket's buffers and the library's objects stand in cycles,
    10 to 60 KB for each. By the thresholds alone a process whose viewers come and go would grow by tens of megabytes.

    ``there`` and ``left`` tell how many viewers there are and how many have left since the start.
    """

    def __init__(self, there: Callable[[], int], left: Callable[[], int]) -> None:
        self._there, self._left = there, left
        self._swept = 0
        self._stopped = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="taskroom-leftovers", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def sweep(self) -> bool:
        """Whether enough had left to be worth a collection, which looks through all who stay."""
        left = self._left()
        if left - self._swept < max(FEW_LEFT, self._there() // 2):
            return False
        self._swept = left
        gc.collect()
        return True

    def _run(self) -> None:
        while not self._stopped.wait(SWEEP_SECONDS):
            self.sweep()


class Pauses:
    """How long collections stopped everything. All times are in seconds, by generation."""

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
