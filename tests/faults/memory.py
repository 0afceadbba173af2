"""The memory of the web processes, from their first minute on."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass

from bench import proc
from tests.faults.system import WEBS, Taskroom

SAMPLE_SECONDS = 2.0
FIRST = (60.0, 90.0)  # seconds after the start of the process; their median is the first value
LAST_SECONDS = 30.0  # their median is the last value
GROWTH_LIMIT = 0.10


@dataclass(frozen=True, slots=True)
class MemoryTrend:
    """The memory of one web process, in bytes. ``course`` has the medians of the quarters of its time after the first
    value: they distinguish a leak from a stable level."""

    name: str
    seconds: float
    start: float
    end: float
    course: tuple[float, ...]

    @property
    def growth(self) -> float:
        return self.end / self.start - 1

    @property
    def ok(self) -> bool:
        return self.growth <= GROWTH_LIMIT

    def __str__(self) -> str:
        course = ", ".join(f"{size / 1e6:.1f}" for size in self.course)
        return (
            f"{self.name}, {self.seconds / 60:.0f} min: {self.start / 1e6:.1f} MB after its first minute, "
            f"{self.end / 1e6:.1f} MB at its end ({self.growth:+.1%}); by quarters {course}"
        )


class Memory:
    """Samples the memory every two seconds until ``close``."""

    def __init__(self, taskroom: Taskroom) -> None:
        self._taskroom = taskroom
        self._samples: dict[tuple[str, int], list[tuple[float, int]]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> list[MemoryTrend]:
        """Returns the trends of the processes that ran long enough, in the order of their starts."""
        self._over.set()
        self._thread.join()
        return [trend for (name, _), samples in self._samples.items() if (trend := _trend(name, samples))]

    def _run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            for name in WEBS:
                pid = self._taskroom.pid(name)
                if size := proc.memory(pid):
                    self._samples.setdefault((name, pid), []).append((time.monotonic(), size))


def _trend(name: str, samples: list[tuple[float, int]]) -> MemoryTrend | None:
    """Returns None for a process that ran less than two minutes, which is too short for a comparison."""
    began, ended = samples[0][0], samples[-1][0]
    first = [size for at, size in samples if FIRST[0] <= at - began <= FIRST[1]]
    last = [size for at, size in samples if ended - at <= LAST_SECONDS]
    if not first or ended - began < FIRST[1] + LAST_SECONDS:
        return None
    later = [size for at, size in samples if at - began > FIRST[1]]
    quarters = [later[n * len(later) // 4 : (n + 1) * len(later) // 4] for n in range(4)]
    course = tuple(statistics.median(quarter) for quarter in quarters)
    return MemoryTrend(name, ended - began, statistics.median(first), statistics.median(last), course)
