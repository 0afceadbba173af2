"""The jobs whose runs are recorded for docs/eta.md: five shapes, each run with a size, a speed and jitter of its own.

Every number comes from the seed of the run, except for how long the machine really took.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from marshmallow import Schema, fields

from workers import current
from workers.progress import RetryTask, job, log, phase, track

ITEM = 0.15  # seconds that an item takes, about


class Seeded(Schema):
    seed = fields.Integer(required=True)


class Load:
    """The work of one run. ``size`` says how much there is of it, ``speed`` how fast this machine is today."""

    def __init__(self, seed: int, smallest: float = 0.6, largest: float = 1.7) -> None:
        self._random = random.Random(seed)
        self.size = self._random.uniform(smallest, largest)
        self._speed = self._random.uniform(0.85, 1.15)

    def items(self, usual: int) -> range:
        return range(max(3, round(usual * self.size)))

    def work(self, items: float = 1) -> None:
        """Takes as long as so many items, give or take a third."""
        time.sleep(ITEM * items * self._speed * self._random.uniform(0.67, 1.33))

    def chance(self, of: float) -> bool:
        return self._random.random() < of


def counted(load: Load, name: str, usual: int, cost: Callable[[int], float] = lambda n: 1) -> None:
    for n in track(load.items(usual), phase=name):
        load.work(cost(n))


def uncounted(load: Load, name: str, items: float) -> None:
    with phase(name):
        load.work(items)


@job("eta_even", params=Seeded)
def even(seed: int) -> None:
    """Four phases of the same length."""
    load = Load(seed)
    for name in ("read", "parse", "check", "write"):
        counted(load, name, 8)


@job("eta_front_loaded", params=Seeded)
def front_loaded(seed: int) -> None:
    """Most of the time goes into the first phase, and within it into the first items."""
    load = Load(seed)
    counted(load, "load", 20, lambda n: 3 if n < 3 else 1)
    counted(load, "convert", 6)
    uncounted(load, "report", 2)


@job("eta_long_phase", params=Seeded)
def long_phase(seed: int) -> None:
    """A long phase between short ones that count nothing, and some time outside of all phases."""
    load = Load(seed)
    load.work(1)
    uncounted(load, "connect", 2)
    counted(load, "train", 26)
    uncounted(load, "save", 3)


@job("eta_growing", params=Seeded)
def growing(seed: int) -> None:
    """Each item takes longer than the one before, as for a job that compares it with all of those."""
    load = Load(seed)
    counted(load, "compare", 24, lambda n: n / 10)
    uncounted(load, "index", 2)


@job("eta_retries", params=Seeded, max_retries=2)
def retries(seed: int) -> None:
    """The first attempt always fails on its way, and some items take several tries."""
    first = current.get().claim.retry_count == 0
    load = Load(seed, 0.8, 1.3)
    counted(load, "fetch", 8)
    items = load.items(14)
    for n in track(items, phase="store"):
        load.work(3 if load.chance(0.1) else 1)
        if first and n > len(items) / 2:
            log("The connection is stale", level="WARNING")
            raise RetryTask("The connection is stale", countdown=0.5)
