"""The publisher, a process of its own: writes log events at a pace and keeps when each was called and committed.

It takes one line of JSON (see ``Order``), answers ``ready``, starts at the next line, and ends when all is durable.
Times are CLOCK_MONOTONIC nanoseconds, which all processes of a machine share; one row a stream, in the order of
the sequences, as plain int64 in ``<out>.called`` and ``<out>.committed``.
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

from app import process
from app.db.pool import Single
from app.notifications import create_notification
from app.projections import project
from app.stream.event import Draft, encode, head_of, now
from app.stream.publisher import Publisher
from app.stream.store import Appended
from app.stream.transaction import Transaction, Transactions
from app.stream.writer import Writer

PAYLOAD = 330  # bytes of an event's JSON


@dataclass(slots=True)
class Order:
    """``streams`` are names with the last sequence they have; ``rate`` is of all streams together, per second."""

    sink: str
    out: str
    streams: list[tuple[str, int]]
    rate: float
    events: int  # of each stream
    limit: float  # seconds after which it gives up: a peer's publisher may be made to wait
    warm: str = ""  # a stream for one event beforehand, so that connections stand
    settings: dict[str, Any] = field(default_factory=dict)
    payload: int = PAYLOAD

    def json(self) -> str:
        return json.dumps(asdict(self))


class Sink(Protocol):
    def send(self, stream: str, sequence: int) -> None:
        """Hands over the event that gets this sequence."""

    def finish(self) -> None:
        """Waits until everything is out."""


def fields(stream: str, sequence: int) -> dict[str, Any]:
    """A ``log`` event's fields beside stream, id and sequence, filled up to ``PAYLOAD`` bytes."""
    made: dict[str, Any] = {"timestamp": now(), "level": "INFO", "message": "", "component": "bench"}
    made["phase"] = "load"
    size = len(head_of(stream)) + len(str(sequence)) + 1 + len(encode(made))
    made["message"] = f"event {sequence} ".ljust(PAYLOAD - size, "x")
    return made


def payload(stream: str, sequence: int) -> str:
    """The event as Taskroom sends it; peers carry the same bytes."""
    return f"{head_of(stream)}{sequence},{encode(fields(stream, sequence))}"


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
    """The real writer with the real projection, put together as in a worker."""

    def __init__(self, times: Times, database_url: str, redis_url: str) -> None:
        publisher = Publisher(redis_url)

        def publish(appended: Appended) -> None:
            times.commit(appended)  # called right after the commit: what comes next is the way to a viewer
            publisher.publish(appended)

        self.writer = Writer(Single(database_url), project, publish)

    def send(self, stream: str, sequence: int) -> None:
        self.writer.put(Draft(stream, "log", encode(fields(stream, sequence)), "INFO", "load", None, None))

    def finish(self) -> None:
        if not self.writer.flush(60):
            raise SystemExit("events were still not durable after 60 s")


class Notifications:
    """``create_notification`` for the users whose streams these are, by so many writers at once.

    Which of them writes first is theirs to find out, so a call's time is kept under the sequence that it got.
    """

    def __init__(self, times: Times, database_url: str, redis_url: str, writers: int = 1) -> None:
        publisher, here = Publisher(redis_url), threading.local()

        def publish(appended: Appended) -> None:
            times.commit(appended)
            publisher.publish(appended)

        def begin() -> AbstractContextManager[Transaction]:
            if not hasattr(here, "begin"):
                here.begin = Transactions(Single(database_url), project, publish)
            return here.begin()

        process.use_transactions(begin)
        self._times, self._pool = times, ThreadPoolExecutor(writers)
        self._calls: list[Future[None]] = []

    def send(self, stream: str, sequence: int) -> None:
        self._calls.append(self._pool.submit(self._create, stream))

    def _create(self, stream: str) -> None:
        called = time.monotonic_ns()
        told = create_notification(stream.partition(":")[2], "Backup done", "12,345 files, 6.7 GB", "success")
        assert told
        self._times.called_at(stream, told["sequence"], called)

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
        # Counted from the start, not from the last event: an overslept moment is made good by the next.
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
