"""What a process knows of itself, for Prometheus. All is read when it is asked for; nothing names a user or a task."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

from app import green
from app.auth.revocations import Revocations
from app.db.breaker import Breaker
from app.http.requests import Requests
from app.observability.gc_tuning import Pauses
from app.observability.histogram import Histogram
from app.observability.loop_lag import LoopLag
from app.observability.loop_watchdog import Watchdog
from app.realtime.joins import Joins
from app.realtime.socketio.codec import Frames, Packets
from app.realtime.sse_codec import SseCodec
from app.realtime.sse_registry import SseRegistry
from app.stream.hub import Hub
from app.stream.publisher import Publisher
from app.stream.store import Connect, DatabaseUnavailable
from app.tasks.fold import STATUSES, TERMINAL
from app.tasks.queue_stats import Backlog, backlog
from app.tasks.rounds import Rounds

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

BACKLOG_SECONDS = 5.0  # anybody inside may ask for this page, and the backlog is a look at Postgres
ENDS = ("closed", "gone", "ended", "stalled", "unavailable", "draining", "expired", "signed_out")

Row = tuple[str, str, float]  # name, what it is, value; one whose name ends in _total only grows


class Metrics:
    """The measurements of one process; ``text`` is its page. ``sources`` are of parts that are made later."""

    def __init__(
        self,
        engine: Engine,
        breaker: Breaker,
        hub: Hub,
        joins: Joins,
        revocations: Revocations,
        streams: SseRegistry,
        publisher: Publisher,
        rounds: Rounds,
        read: Connect,
        writes: Breaker,
    ) -> None:
        self._engine, self._breaker, self._read, self._writes = engine, breaker, read, writes
        self._hub, self._joins, self._revocations = hub, joins, revocations
        self._streams, self._publisher, self._rounds = streams, publisher, rounds
        self._backlog: tuple[float, Backlog] | None = None
        self.pauses, self.lag, self.requests = Pauses(), LoopLag(), Requests()
        self.watchdog = Watchdog(lambda: self.pauses.all)
        self.sources: list[Callable[[], Iterator[Row]]] = [
            self._viewers,
            self._delivery,
            self._redis,
            self._database,
            self._tasks,
            self._others,
        ]

    def start(self) -> None:
        self.pauses.watch()
        self.lag.start()
        self.watchdog.start()

    def stop(self) -> None:
        self.watchdog.stop()
        self.pauses.unwatch()
        self.lag.stop()

    def text(self) -> bytes:
        """Prometheus's text format."""
        # Here, for a process that nobody asks need not wait for it at its start; and beside the loop, which would stand
        # still for some tenths of a second.
        green.offload(import_module, "prometheus_client")
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """What prometheus_client asks a collector for."""
        for source in self.sources:
            for name, text, value in source():
                yield _labelled(f"taskroom_{name}", text, (), {(): value})
        yield from self._sse()
        yield from self._by_label()
        yield _histogram(
            "taskroom_loop_lag_seconds", "How late a greenlet that slept 0.1 s woke up", self.lag.late
        )
        yield _histogram("taskroom_http_request_seconds", "Until the answer began", self.requests.seconds)

    def _viewers(self) -> Iterator[Row]:
        hub, joins = self._hub, self._joins
        yield "viewers", "Viewers in the rooms of this process", len(hub.viewers())
        yield "viewers_behind", "Of them, those that wait for their connections or Postgres", hub.behind
        yield (
            "viewers_fell_behind_total",
            "Times that a viewer's connection was full",
            hub.metrics.fell_behind,
        )
        yield "rooms", "Rooms, those that linger after their last viewer too", hub.rooms
        yield "ring_bytes", "Recent events kept in memory", hub.ring_bytes
        yield "streams", "Open streams that count towards MAX_VIEWERS", joins.viewers
        yield "streams_opened_total", "Streams ever opened", joins.viewers + joins.left
        yield "joins_in_flight", "Joins that may be asking Postgres", joins.in_flight
        yield "joins_waiting", "Joins that wait for one of those to end", joins.waiting

    def _delivery(self) -> Iterator[Row]:
        hub, metrics = self._hub, self._hub.metrics
        yield "room_lag_events", "Events that the room furthest behind has not sent on yet", hub.lag
        yield "hub_received_total", "Messages from Redis for a room that is here", metrics.received
        yield "hub_refills_total", "Times that events were missing before those that came", metrics.refills
        yield "hub_looks_total", "Looks at where streams stand in Postgres", metrics.looks
        yield "hub_caught_up_total", "Rooms that such a look brought forward", metrics.caught_up
        yield "hub_rewound_total", "Rooms of which Postgres had lost events", metrics.rewound
        yield "hub_faults_total", "Exceptions that ended a viewer, a message or a look", hub.faults.count

    def _redis(self) -> Iterator[Row]:
        subscription, publisher = self._hub.subscription, self._publisher
        yield "redis_connected", "1 while the subscription stands", subscription.connected
        yield "redis_connects_total", "Times that it was made", subscription.connects
        yield "redis_silence_seconds", "Since Redis was last heard, or since the start", subscription.silence
        yield "publishes_total", "Messages sent to Redis after a commit", publisher.messages
        yield "publishes_lost_total", "Of those, not taken or not even tried", publisher.lost

    def _database(self) -> Iterator[Row]:
        breaker, pool = self._breaker, self._engine.pool
        assert isinstance(pool, QueuePool)
        yield "database_connections_in_use", "Connections lent by the pool", pool.checkedout()
        yield "database_connections_limit", "DATABASE_POOL_SIZE", pool.size()
        yield "database_breaker", "0 closed, 1 half open, 2 open: Postgres is away", breaker.state
        yield (
            "database_read_only",
            "As database_breaker, for writes: Postgres is read only",
            self._writes.state,
        )
        yield "database_openings_total", "Times that Postgres went away", breaker.openings
        yield "database_refused_total", "Calls that were not even tried meanwhile", breaker.refused

    def _tasks(self) -> Iterator[Row]:
        rounds = self._rounds
        yield "rounds_leads", "1 in the one process that counts leases and sends again", rounds.leads
        yield "tasks_lost_total", "Attempts that this process ended, for their worker was silent", rounds.lost
        found = self._look()
        if found:
            yield "dispatches_due", "Tasks that a worker may claim now", found.due
            yield "dispatch_wait_seconds", "Since the first of them could be claimed", found.oldest_seconds
            yield "leases", "Attempts that run", found.leases
            yield "leases_missed", "Rounds that the most silent of them missed; at 4 it is over", found.missed

    def _look(self) -> Backlog | None:
        """None while Postgres is away: an old figure would look like a good one."""
        if self._backlog is None or time.monotonic() - self._backlog[0] > BACKLOG_SECONDS:
            try:
                self._backlog = time.monotonic(), backlog(self._read)
            except DatabaseUnavailable:
                self._backlog = None
        return self._backlog and self._backlog[1]

    def _others(self) -> Iterator[Row]:
        yield "revocations", "Sign-outs kept in memory", len(self._revocations)
        yield (
            "revocations_known",
            "0 while each request asks Postgres about its session",
            self._revocations.known,
        )
        yield "loop_lag_longest_seconds", "Longest loop lag since the start", self.lag.longest

    def _sse(self) -> Iterator[Metric]:
        """Under the names that older dashboards know."""
        sent, streams = self._hub.metrics.sent_by(SseCodec), self._streams
        yield _labelled("sse_connections_total", "Active SSE connections", (), {(): streams.open}, gauge=True)
        yield _labelled("sse_messages_sent_total", "Events, times viewers", ("event_type",), _single(sent.of))
        yield _histogram(
            "sse_connection_duration_seconds", "Of connections that have ended", streams.durations
        )
        yield _labelled(
            "sse_reconnection_attempts_total",
            "Connects with a Last-Event-ID, by what became of them",
            ("reason",),
            _single(streams.reconnections),
        )

    def _by_label(self) -> Iterator[Metric]:
        sent, ended = self._hub.metrics.sent_by(Packets, Frames), self._hub.metrics.ended
        yield _labelled(
            "taskroom_socketio_messages_sent_total",
            "Events, times viewers",
            ("event_type",),
            _single(sent.of),
        )
        yield _labelled(
            "taskroom_viewers_ended_total",
            "Viewers that have left, by why",
            ("reason",),
            _single(dict.fromkeys(ENDS, 0) | ended),
        )
        yield _labelled(
            "taskroom_events_stored_total",
            "Events that this process has committed",
            ("event_type",),
            _single(self._publisher.stored.of),
        )
        yield _labelled(
            "taskroom_http_requests_total",
            "Requests answered",
            ("method", "route", "status"),
            {of: float(count) for of, count in self.requests.answered.items()},
        )
        yield _labelled(
            "taskroom_loop_turns_over_50ms_total",
            "Turns of the loop in which nobody else was served for so long, by what ran most of it",
            ("what", "how"),
            {of: float(count) for of, count in self.watchdog.over.items()},
        )
        yield _labelled(
            "taskroom_loop_turn_longest_seconds",
            "Longest of those turns since the start",
            ("what", "how"),
            {(what, how): seconds for (what, how), seconds in self.watchdog.longest.items()},
        )
        found = self._look()
        if found:
            states = {s: found.unfinished.get(s, 0) for s in STATUSES if s not in TERMINAL}
            yield _labelled("taskroom_tasks", "Tasks that have not ended", ("status",), _single(states))
        pauses, by = self.pauses, ("generation",)
        for name, text, values in (
            ("gc_seconds_total", "Time in garbage collections, which stop everything", pauses.seconds),
            ("gc_collections_total", "Garbage collections", pauses.count),
            ("gc_longest_seconds", "Longest garbage collection since the start", pauses.longest),
        ):
            yield _labelled(f"taskroom_{name}", text, by, {(str(n),): v for n, v in enumerate(values)})


def _single(values: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(name,): value for name, value in values.items()}


def _labelled(
    name: str,
    text: str,
    labels: tuple[str, ...],
    values: Mapping[tuple[str, ...], float],
    gauge: bool = False,
) -> Metric:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if name.endswith("_total") and not gauge else GaugeMetricFamily
    family = kind(name, text, labels=labels)
    for of, value in values.items():
        family.add_metric(of, value)
    return family


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    from prometheus_client.metrics_core import HistogramMetricFamily

    family = HistogramMetricFamily(name, text)
    family.add_metric([], histogram.buckets(), histogram.seconds)
    return family
