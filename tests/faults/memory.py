"""What the web processes hold, from their first minute on."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass

from bench import proc
from tests.faults.system import WEBS, Taskroom

EVERY_SECONDS = 2.0
FIRST = (60.0, 90.0)  # seconds of its life whose median is the start
LAST_SECONDS = 30.0  # whose median is the end
GROWTH_LIMIT = 0.10


@dataclass(frozen=True, slots=True)
class Life:
    """One web process until it was killed or the soak was over. Bytes; ``course`` are the medians of the quarters of
    its life after the start, which tell a leak from a level that it finds."""

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
    """Looks every two seconds until it is closed."""

    def __init__(self, taskroom: Taskroom) -> None:
        self._taskroom = taskroom
        self._samples: dict[tuple[str, int], list[tuple[float, int]]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> list[Life]:
        """Of all that lived long enough to be compared with themselves, in the order of their starts."""
        self._over.set()
        self._thread.join()
        return [life for (name, _), samples in self._samples.items() if (life := _life(name, samples))]

    def _run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            for name in WEBS:
                pid = self._taskroom.pid(name)
                if size := proc.memory(pid):
                    self._samples.setdefault((name, pid), []).append((time.monotonic(), size))


def _life(name: str, samples: list[tuple[float, int]]) -> Life | None:
    """None for one that died within its first two minutes: there is no later to compare with."""
    born, died = samples[0][0], samples[-1][0]
    first = [size for at, size in samples if FIRST[0] <= at - born <= FIRST[1]]
    last = [size for at, size in samples if died - at <= LAST_SECONDS]
    if not first or died - born < FIRST[1] + LAST_SECONDS:
        return None
    later = [size for at, size in samples if at - born > FIRST[1]]
    quarters = [later[n * len(later) // 4 : (n + 1) * len(later) // 4] for n in range(4)]
    course = tuple(statistics.median(quarter) for quarter in quarters)
    return Life(name, died - born, statistics.median(first), statistics.median(last), course)
