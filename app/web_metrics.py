"""The metrics of a web process. No label names a user or a task."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from cachetools import TTLCache, cached
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

from app.auth.revocations import Revocations
from app.db.breaker import Breaker
from app.errors.survived import bugs
from app.http.requests import RequestMetrics
from app.observability.gc_tuning import Pauses
from app.observability.loop_lag import LoopLag
from app.observability.loop_watchdog import Watchdog
from app.observability.metrics import Labelled, Metrics, Row, family
from app.realtime.connection_limits import ConnectionLimits
from app.realtime.socketio.codec import Frames, Packets
from app.realtime.sse_codec import SseCodec
from app.realtime.sse_registry import SseRegistry
from app.services import Services
from app.stream.hub import Hub
from app.stream.publisher import Publisher
from app.stream.store import DatabaseUnavailable
from app.tasks.fold import STATUSES, TERMINAL
from app.tasks.lease_reaper import LeaseReaper
from app.tasks.queue_stats import QueueCounts, backlog

BACKLOG_SECONDS = 5.0  # requests for the page may be frequent, and the backlog is read from Postgres
ENDS = ("closed", "gone", "ended", "stalled", "unavailable", "draining", "expired", "signed_out")


class WebMeasures(Collector):
    """``metrics`` is the page; parts that are created later add their ``sources`` to it."""

    def __init__(self, parts: Services, *, engine: Engine, breaker: Breaker, writes: Breaker) -> None:
        self._engine, self._breaker, self._writes = engine, breaker, writes
        self._hub, self._limits, self._revocations = parts[Hub], parts[ConnectionLimits], parts[Revocations]
        self._publisher, self._lease_reaper = parts[Publisher], parts[LeaseReaper]
        self._streams = streams = parts[SseRegistry]
        self._read_backlog = cached(TTLCache[Any, QueueCounts](1, BACKLOG_SECONDS))(
            partial(backlog, parts.read)
        )
        self.pauses, self.lag, self.requests = Pauses(), LoopLag(), RequestMetrics()
        self.watchdog = Watchdog(lambda: self.pauses.all)
        requests = self.requests
        own = requests.answered, requests.seconds, streams.durations, streams.reconnections, self.lag.late
        rows = self._viewers, self._delivery, self._redis, self._database, self._tasks, self._process
        self.metrics = Metrics((self, *own))
        self.metrics.sources += rows

    def start(self) -> None:
        self.pauses.watch()
        self.lag.thread.start()
        self.watchdog.start()

    def stop(self) -> None:
        self.watchdog.stop()
        self.pauses.unwatch()
        self.lag.thread.stop()

    def collect(self) -> Iterator[Metric]:
        """Yields the metrics that older dashboards read, with names without our prefix."""
        sent = self._hub.metrics.sent_by(SseCodec).of
        yield family("sse_connections_total", "Active SSE connections", self._streams.open, gauge=True)
        yield family("sse_messages_sent_total", "Events, times viewers", ("event_type",), sent)

    def _viewers(self) -> Iterator[Row | Labelled]:
        hub, limits = self._hub, self._limits
        yield "viewers", "Viewers in the rooms of this process", len(hub.viewers())
        yield "viewers_behind", "Viewers that wait for their connections or Postgres", hub.catching_up
        yield "viewers_fell_behind_total", "Times a viewer's connection was full", hub.metrics.fell_behind
        ended = dict.fromkeys(ENDS, 0) | hub.metrics.ended
        yield "viewers_ended_total", "Viewers that have left, by reason", ("reason",), ended
        yield "rooms", "Rooms, including those kept for a while after their last viewer", hub.rooms
        yield "ring_bytes", "Recent events kept in memory", hub.ring_bytes
        yield "streams", "Open streams that count towards MAX_VIEWERS", limits.connections
        yield "streams_opened_total", "Streams opened since the start", limits.connections + limits.closed
        yield "joins_in_flight", "Joins that may use Postgres", limits.joining
        yield "joins_waiting", "Joins that wait for such a join to end", limits.waiting

    def _delivery(self) -> Iterator[Row | Labelled]:
        hub, metrics = self._hub, self._hub.metrics
        yield "room_lag_events", "Events that the slowest room has not delivered yet", hub.lag
        yield "hub_received_total", "Messages from Redis for a room of this process", metrics.received
        yield "hub_refills_total", "Gaps before received events, filled from Postgres", metrics.refills
        yield "hub_looks_total", "Reads of the heads of streams in Postgres", metrics.looks
        yield "hub_caught_up_total", "Rooms to which such a read brought events", metrics.caught_up
        yield "hub_rewound_total", "Rooms whose last events Postgres had lost", metrics.rewound
        yield "hub_faults_total", "Exceptions for a viewer, a message or a read of heads", hub.faults.count
        sent = metrics.sent_by(Packets, Frames).of
        yield "socketio_messages_sent_total", "Events, times viewers", ("event_type",), sent

    def _redis(self) -> Iterator[Row | Labelled]:
        subscription, publisher = self._hub.subscription, self._publisher
        yield "redis_connected", "1 while the subscription is connected", subscription.connected
        yield "redis_connects_total", "Connections of the subscription", subscription.connects
        yield "redis_silence_seconds", "Since Redis sent a message, or the start", subscription.silence
        yield "publishes_total", "Messages sent to Redis after a commit", publisher.messages
        yield "publishes_lost_total", "Messages not accepted or not tried", publisher.lost
        stored = publisher.stored.of
        yield "events_stored_total", "Events that this process has committed", ("event_type",), stored

    def _database(self) -> Iterator[Row]:
        breaker, pool = self._breaker, self._engine.pool
        assert isinstance(pool, QueuePool)
        yield "database_connections_in_use", "Connections of the pool in use", pool.checkedout()
        yield "database_connections_limit", "DATABASE_POOL_SIZE", pool.size()
        yield "database_breaker", "0 closed, 1 half open, 2 open: Postgres is unavailable", breaker.state
        read_only = "Like database_breaker, for writes: Postgres is read-only"
        yield "database_read_only", read_only, self._writes.state
        yield "database_openings_total", "Times that Postgres became unavailable", breaker.openings
        yield "database_refused_total", "Calls refused while the breaker was open", breaker.refused

    def _tasks(self) -> Iterator[Row | Labelled]:
        lease_reaper = self._lease_reaper
        yield "rounds_leads", "1 in the process that counts leases and repeats hints", lease_reaper.leads
        yield "tasks_lost_total", "Attempts ended because their worker was silent", lease_reaper.lost
        found = self._backlog()
        if found:
            yield "dispatches_due", "Tasks that a worker may claim now", found.due
            yield "dispatch_wait_seconds", "Longest wait of these tasks", found.oldest_seconds
            yield "leases", "Attempts that run", found.leases
            yield "leases_missed", "Most rounds missed by a running attempt; after 4 it is lost", found.missed
            states = {s: found.unfinished.get(s, 0) for s in STATUSES if s not in TERMINAL}
            yield "tasks", "Tasks that have not ended", ("status",), states

    def _backlog(self) -> QueueCounts | None:
        """Returns None while Postgres is unavailable: an old number would look valid."""
        try:
            return self._read_backlog()
        except DatabaseUnavailable:
            return None

    def _process(self) -> Iterator[Row | Labelled]:
        revocations, watchdog, pauses = self._revocations, self.watchdog, self.pauses
        yield "bugs_total", "Errors that nothing expects, by the part that met them", ("part",), dict(bugs)
        yield "revocations", "Sign-outs kept in memory", len(revocations)
        yield "revocations_known", "0 while each request reads its session from Postgres", revocations.known
        yield "loop_lag_longest_seconds", "Longest loop lag since the start", self.lag.longest
        over = "Iterations of the event loop that blocked it for so long, by the code that ran longest"
        yield "loop_turns_over_50ms_total", over, ("what", "how"), watchdog.over
        longest = "Longest of these iterations since the start"
        yield "loop_turn_longest_seconds", longest, ("what", "how"), watchdog.longest
        for name, text, values in (
            ("gc_seconds_total", "Time in garbage collections, which block the process", pauses.seconds),
            ("gc_collections_total", "Garbage collections", pauses.count),
            ("gc_longest_seconds", "Longest garbage collection since the start", pauses.longest),
        ):
            yield name, text, ("generation",), {str(n): value for n, value in enumerate(values)}
