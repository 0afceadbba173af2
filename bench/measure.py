"""One run: viewers join, the publisher writes, and the costs and latencies are measured."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench import proc
from bench.load import Load, Viewer
from bench.stand import Publishing, Server, Times

SETTLE_SECONDS = 1.0
BUSY_CLIENT = 0.9  # of a core; above it the run measures the client
FULL_BUFFERS = 0.05  # of the viewers; a few buffers fill up before the kernel enlarges them
OTHERS = 0.1  # of a core; above it other programs disturbed the run
STRAY = 50  # the counter includes other programs of the machine


class Noise:
    """The CPU use of programs that are no part of the bench, from now on."""

    def __init__(self) -> None:
        self._at, self._used = time.monotonic(), self._others()

    @property
    def doubt(self) -> str:
        """Returns a text when the use was too high, else an empty one."""
        share = (self._others() - self._used) / (time.monotonic() - self._at)
        return f"other programs took {share:.0%} of a core" if share >= OTHERS else ""

    @staticmethod
    def _others() -> float:
        return proc.busy_seconds() - proc.cpu_seconds(os.getpid())


@dataclass(slots=True)
class Run:
    """Times in seconds. ``latencies`` has one for every delivery: from the commit or, for peers, from the publish."""

    expected: int
    delivered: int
    latencies: NDArray[np.float64]
    from_call: NDArray[np.float64]  # the latencies from the publisher's call, before the commit
    server_cpu: float
    server_share: float  # of a core
    client_share: float
    noise: str
    viewers: int
    published: float  # the share of the requested events
    full_buffers: int  # times that a receive buffer was full
    faults: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.latencies, share)) if len(self.latencies) else float("nan")

    @property
    def share(self) -> float:
        """Per cent delivered, each event once and in order. A viewer with a fault counts up to the fault."""
        return 100 * self.delivered / self.expected

    @property
    def cpu_per_delivery(self) -> float:
        return self.server_cpu / max(1, self.delivered)

    @property
    def doubts(self) -> list[str]:
        """Reasons to doubt the figures of the run: missing events, or a client that was too slow."""
        found = [] if self.delivered == self.expected else [f"delivered {self.share:.1f} %"]
        if self.published < 1:
            found.append(f"its publisher got only {self.published:.0%} of the events out in time")
        if self.client_share >= BUSY_CLIENT:
            found.append(f"client at {self.client_share:.0%} of a core")
        if self.noise:
            found.append(self.noise)
        if self.full_buffers > max(STRAY, FULL_BUFFERS * self.viewers):
            found.append(f"receive buffers were full {self.full_buffers:,} times")
        return found


def deliver(
    load: Load,
    server: Server,
    publishing: Publishing,
    viewers: list[Viewer] | None = None,
    meanwhile: Callable[[], bool] = lambda: True,
) -> Run:
    """Publishes all events and reads until all viewers (or the given ones) have them, or the time is over.

    ``meanwhile`` is called every 20 ms until it returns True. The publisher has ended when this returns or raises.
    """
    watched = load.viewers if viewers is None else viewers
    load.run(lambda: False, SETTLE_SECONDS)
    noise = Noise()
    cpu, own, wall = proc.cpu_seconds(server.pid), time.process_time(), time.monotonic()
    windows = proc.zero_windows()
    start = len(load.when)
    there = load.reached(publishing.order.events, watched)

    def done() -> bool:
        return meanwhile() and there()

    try:
        publishing.go()
        load.run(done, publishing.order.limit)
        took = time.monotonic() - wall
        used = proc.cpu_seconds(server.pid) - cpu
        own = time.process_time() - own
        doubt = noise.doubt
        called, committed = publishing.times()
    finally:
        publishing.stop()
    events = publishing.order.events
    delivered, latencies = arrivals(load, committed, watched, start)
    _, from_call = arrivals(load, called, watched, start)
    return Run(
        expected=sum(events - (v.first - v.room.first) for v in watched),
        delivered=delivered,
        latencies=latencies,
        from_call=from_call,
        server_cpu=used,
        server_share=used / took,
        client_share=own / took,
        noise=doubt,
        viewers=len(load.viewers),
        published=np.count_nonzero(called) / called.size,
        full_buffers=proc.zero_windows() - windows,
        faults=load.faults,
    )


def arrivals(
    load: Load, times: Times, viewers: list[Viewer], start: int = 0
) -> tuple[int, NDArray[np.float64]]:
    """Returns the number of events that these viewers received since record ``start``, and their latencies to
    ``times``."""
    when, who, upto = (np.array(column[start:]) for column in (load.when, load.who, load.upto))
    first = np.array([v.first for v in load.viewers], np.int64)
    base = np.array([v.room.first for v in load.viewers], np.int64)
    row = np.array([v.room.number for v in load.viewers], np.int64)
    wanted = np.zeros(len(load.viewers), bool)
    wanted[[v.number for v in viewers]] = True
    order = np.argsort(who, kind="stable")
    when, who, upto = when[order], who[order], upto[order]
    before = np.empty_like(upto)
    before[1:] = upto[:-1]
    starts = np.flatnonzero(np.diff(who, prepend=-1))
    before[starts] = first[who[starts]]
    keep = wanted[who]
    when, who, upto, before = when[keep], who[keep], upto[keep], before[keep]
    sizes = upto - before
    total = int(sizes.sum())
    # Each record stands for all events since the record before it; this lists their sequences.
    step = np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    event = np.repeat(before - base[who], sizes) + step
    at = times[np.repeat(row[who], sizes), event]
    return total, (np.repeat(when, sizes) - at) / 1e9
