"""What a process knows of itself, for Prometheus. All is read when it is asked for; nothing names a user or a task."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

from app.breaker import Breaker
from app.garbage import Pauses
from app.realtime.joins import Joins
from app.revocations import Revocations
from app.stream.hub import Hub

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

LAG_EVERY = 0.1
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class LoopLag:
    """How late one that sleeps wakes up: what every viewer waits on top."""

    def __init__(self) -> None:
        self.counts = [0] * (len(LAG_BUCKETS) + 1)
        self.seconds = 0.0
        self.longest = 0.0
        self._stopped = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="taskroom-lag", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def note(self, late: float) -> None:
        """``late`` in seconds."""
        self.counts[bisect_left(LAG_BUCKETS, late)] += 1
        self.seconds += late
        self.longest = max(self.longest, late)

    def _run(self) -> None:
        due = time.monotonic() + LAG_EVERY
        while not self._stopped.wait(LAG_EVERY):
            now = time.monotonic()
            self.note(max(0.0, now - due))
            due = now + LAG_EVERY


class Metrics:
    """The measurements of one process; ``text`` is its page."""

    def __init__(
        self, engine: Engine, breaker: Breaker, hub: Hub, joins: Joins, revocations: Revocations
    ) -> None:
        self._engine, self._breaker = engine, breaker
        self._hub, self._joins, self._revocations = hub, joins, revocations
        self.pauses, self.lag = Pauses(), LoopLag()

    def start(self) -> None:
        self.pauses.watch()
        self.lag.start()

    def stop(self) -> None:
        self.pauses.unwatch()
        self.lag.stop()

    def text(self) -> bytes:
        """Prometheus's text format."""
        # Here, for a process that nobody asks need not wait for it at its start.
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """What prometheus_client asks a collector for."""
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

        for name, text, value in (*self._viewers(), *self._others()):
            yield GaugeMetricFamily(f"taskroom_{name}", text, value)
        for name, text, value in (
            ("database_openings", "Times that Postgres went away", self._breaker.openings),
            ("database_refused", "Calls that were not even tried meanwhile", self._breaker.refused),
        ):
            yield CounterMetricFamily(f"taskroom_{name}", text, value)
        yield from self._collections()
        yield self._loop_lag()

    def _viewers(self) -> Iterator[tuple[str, str, float]]:
        hub, joins = self._hub, self._joins
        yield "viewers", "Viewers in the rooms of this process", len(hub.viewers())
        yield "rooms", "Rooms, those that linger after their last viewer too", hub.rooms
        yield "ring_bytes", "Recent events kept in memory", hub.ring_bytes
        yield "streams", "Open streams that count towards MAX_VIEWERS", joins.viewers
        yield "joins_in_flight", "Joins that may be asking Postgres", joins.in_flight
        yield "joins_waiting", "Joins that wait for one of those to end", joins.waiting

    def _others(self) -> Iterator[tuple[str, str, float]]:
        subscription, revocations = self._hub.subscription, self._revocations
        yield "redis_connected", "1 while the subscription stands", subscription.connected
        yield "redis_silence_seconds", "Since Redis was last heard, or since the start", subscription.silence
        yield "revocations", "Sign-outs kept in memory", len(revocations)
        yield "revocations_known", "0 while each request asks Postgres about its session", revocations.known
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        yield "database_connections_in_use", "Connections lent by the pool", pool.checkedout()
        yield "database_connections_limit", "DATABASE_POOL_SIZE", pool.size()
        yield "database_breaker", "0 closed, 1 half open, 2 open: Postgres is away", self._breaker.state
        yield "loop_lag_longest_seconds", "Longest loop lag since the start", self.lag.longest

    def _collections(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

        seconds = CounterMetricFamily(
            "taskroom_gc_seconds", "Time in garbage collections, which stop everything", labels=["generation"]
        )
        count = CounterMetricFamily("taskroom_gc_collections", "Garbage collections", labels=["generation"])
        longest = GaugeMetricFamily(
            "taskroom_gc_longest_seconds", "Longest garbage collection since the start", labels=["generation"]
        )
        for family, values in (
            (seconds, self.pauses.seconds),
            (count, self.pauses.count),
            (longest, self.pauses.longest),
        ):
            for generation, value in enumerate(values):
                family.add_metric([str(generation)], value)
            yield family

    def _loop_lag(self) -> Metric:
        from prometheus_client.metrics_core import HistogramMetricFamily

        buckets, total = [], 0
        for limit, count in zip((*map(str, LAG_BUCKETS), "+Inf"), self.lag.counts, strict=True):
            total += count
            buckets.append((limit, float(total)))
        family = HistogramMetricFamily(
            "taskroom_loop_lag_seconds", "How late a greenlet that slept 0.1 s woke up"
        )
        family.add_metric([], buckets, self.lag.seconds)
        return family
