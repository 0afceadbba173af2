"""The publisher process: writes log events at a rate and stores the time of each call and commit.

It reads one line of JSON (see ``Order``), prints ``ready``, starts at the next line, and ends when all is durable.
Times are CLOCK_MONOTONIC nanoseconds, which all processes of a machine share: one row a stream, in the order of the
sequences, as plain int64 in ``<out>.called`` and ``<out>.committed``.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson

from app import process_transactions
from app.db.persistent import PersistentConnection
from app.notifications import create_notification
from app.projections import project
from app.stream.event import Draft, encode, json_prefix, now
from app.stream.publisher import Publisher
from app.stream.store import Appended
from app.stream.transaction import Transaction, Transactions
from app.stream.writer import Writer

PAYLOAD = 330  # bytes of an event's JSON


@dataclass(slots=True)
class Order:
    """``streams`` are names with their last sequences; ``rate`` is events a second of all streams together."""

    sink: str
    out: str
    streams: list[tuple[str, int]]
    rate: float
    events: int  # of each stream
    limit: float  # seconds until it gives up: a peer may make its publisher wait
    warm: str = ""  # a stream for one event before the start, which opens the connections
    settings: dict[str, Any] = field(default_factory=dict)
    payload: int = PAYLOAD

    def json(self) -> str:
        return json.dumps(asdict(self))


class Sink(Protocol):
    def send(self, stream: str, sequence: int) -> None:
        """Publishes the event with this sequence."""

    def finish(self) -> None:
        """Waits until all events are published."""


def fields(stream: str, sequence: int) -> dict[str, Any]:
    """Returns a ``log`` event's fields without stream, id and sequence, padded to ``PAYLOAD`` bytes."""
    made: dict[str, Any] = {"timestamp": now(), "level": "INFO", "message": "", "component": "bench"}
    made["phase"] = "load"
    size = len(json_prefix(stream)) + len(str(sequence)) + 1 + len(encode(made))
    made["message"] = f"event {sequence} ".ljust(PAYLOAD - size, "x")
    return made


def payload(stream: str, sequence: int) -> str:
    """Returns the event as Taskroom sends it; peers carry the same bytes."""
    return f"{json_prefix(stream)}{sequence},{encode(fields(stream, sequence))}"


class Times:
    def __init__(self, streams: list[tuple[str, int]], events: int) -> None:
        self.called = np.zeros((len(streams), events), np.int64)
        self.committed = np.zeros((len(streams), events), np.int64)
        self._rows = {name: (row, last + 1) for row, (name, last) in enumerate(streams)}

    def call(self, row: int, event: int) -> None:
        self.called[row, event] = time.monotonic_ns()

    def called_at(self, stream: str, sequence: int, at: int) -> None:
        row, first = self._rows.get(stream, (-1, 0))
        if row >= 0:
            self.called[row, sequence - first] = at

    def commit(self, appended: Appended) -> None:
        at = time.monotonic_ns()
        for event in appended.events:
            row, first = self._rows.get(event.stream, (-1, 0))
            if row >= 0:
                self.committed[row, event.sequence - first] = at

    def save(self, out: str) -> None:
        Path(f"{out}.called").write_bytes(self.called.tobytes())
        Path(f"{out}.committed").write_bytes(self.committed.tobytes())


class Ours:
    """The real writer with the real projection, as in a worker."""

    def __init__(self, times: Times, database_url: str, redis_url: str) -> None:
        publisher = Publisher(redis_url)

        def publish(appended: Appended) -> None:
            times.commit(appended)  # called right after the commit, where the way to a viewer begins
            publisher.publish(appended)

        self.writer = Writer(PersistentConnection(database_url), project, publish)

    def send(self, stream: str, sequence: int) -> None:
        self.writer.put(Draft(stream, "log", encode(fields(stream, sequence)), "INFO", "load", None, None))

    def finish(self) -> None:
        if not self.writer.flush(60):
            raise SystemExit("events were still not durable after 60 s")


class Notifications:
    """Calls ``create_notification`` for the users of these streams, in several concurrent writers.

    The order of the writers is not known before, so the time of a call is stored under its event's sequence.
    """

    def __init__(self, times: Times, database_url: str, redis_url: str, writers: int = 1) -> None:
        publisher, here = Publisher(redis_url), threading.local()

        def publish(appended: Appended) -> None:
            times.commit(appended)
            publisher.publish(appended)

        def begin() -> AbstractContextManager[Transaction]:
            if not hasattr(here, "begin"):
                here.begin = Transactions(PersistentConnection(database_url), project, publish)
            return here.begin()

        process_transactions.use_transactions(begin)
        self._times, self._pool = times, ThreadPoolExecutor(writers)
        self._calls: list[Future[None]] = []

    def send(self, stream: str, sequence: int) -> None:
        self._calls.append(self._pool.submit(self._create, stream))

    def _create(self, stream: str) -> None:
        called = time.monotonic_ns()
        notification = create_notification(
            stream.partition(":")[2], "Backup done", "12,345 files, 6.7 GB", "success"
        )
        assert notification
        self._times.called_at(stream, notification["sequence"], called)

    def finish(self) -> None:
        for call in self._calls:
            call.result(60)


def run(order: Order, times: Times, sink: Sink) -> None:
    if order.warm:
        sink.send(order.warm, 2)
        sink.finish()
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.monotonic()
    total = order.events * len(order.streams)
    done = 0
    while done < total and (elapsed := time.monotonic() - start) < order.limit:
        # Relative to the start, not to the last event: the next event makes up for a late one.
        if elapsed < done / order.rate:
            time.sleep(done / order.rate - elapsed)
            continue
        event, row = divmod(done, len(order.streams))
        stream, last = order.streams[row]
        times.call(row, event)
        sink.send(stream, last + 1 + event)
        done += 1
    sink.finish()
    times.save(order.out)


def main() -> None:
    order = Order(**orjson.loads(sys.stdin.readline()))
    times = Times(order.streams, order.events)
    sink: Sink
    if order.sink == "ours":
        sink = Ours(times, **order.settings)
    elif order.sink == "notifications":
        sink = Notifications(times, **order.settings)
    else:
        from bench.peers import sinks

        sink, times.committed = sinks.SINKS[order.sink](**order.settings), times.called
    run(order, times, sink)


if __name__ == "__main__":
    main()
