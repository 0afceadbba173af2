"""Stand-ins for Postgres and Redis, for what the writer and the hub do by themselves."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest

from app.stream import delivery as deliveries
from app.stream import pages
from app.stream import writer as writers
from app.stream.event import Draft, Event, json_prefix, number
from app.stream.hub import Hub
from app.stream.store import Appended, DatabaseUnavailable, Head
from tests.stream.helpers import event


class FakeCommits:
    """Commits batches into a list. ``gate`` holds each commit back; ``away`` refuses that many connections."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[list[Event]] = []
        self.published: list[Appended] = []
        self.settled: dict[str, int] = {}
        self.away = 0
        self.lose_answers = 0  # so many commits succeed and their answer is lost
        self.poison: str | None = None
        self.gate = threading.Event()
        self.gate.set()
        self._undo = (0, {})
        monkeypatch.setattr(writers, "RETRY_SECONDS", (0.001, 0.002))
        monkeypatch.setattr(
            writers, "register_writer", lambda cur, writer: self.settled.setdefault(writer, 0)
        )
        monkeypatch.setattr(writers, "claim_batch", self._claim_batch)
        monkeypatch.setattr(writers, "append", self._append)

    @contextmanager
    def connect(self) -> Iterator[Any]:
        if self.away:
            self.away -= 1
            raise DatabaseUnavailable("away, as asked")
        self.gate.wait(60)
        self._undo = (len(self.batches), dict(self.settled))
        try:
            yield _Connection()
        except BaseException:
            del self.batches[self._undo[0] :]
            self.settled = self._undo[1]
            raise
        if self.lose_answers and len(self.batches) > self._undo[0]:
            self.lose_answers -= 1
            raise DatabaseUnavailable("the answer to the commit is lost")

    def messages(self) -> list[str]:
        return [e.decoded()["message"] for batch in self.batches for e in batch]

    def publish(self, appended: Appended) -> None:
        known = {id(e) for batch in self.batches for e in batch}
        assert all(id(e) in known for e in appended.events), "published before its commit"
        self.published.append(appended)

    def _claim_batch(self, cur: Any, writer: str, batch: int) -> bool:
        if self.settled[writer] == batch:
            return False
        assert self.settled[writer] == batch - 1
        self.settled[writer] = batch
        return True

    def _append(self, cur: Any, drafts: Sequence[Draft], project: Any) -> Appended:
        if self.poison and any(self.poison in d.tail for d in drafts):
            raise psycopg2.DataError("poisoned")
        start = sum(map(len, self.batches)) + 1
        events = [number(d, json_prefix(d.stream), start + i) for i, d in enumerate(drafts)]
        self.batches.append(events)
        return Appended(events)


class _Connection:
    @contextmanager
    def cursor(self) -> Iterator[None]:
        yield None


class FakeStore:
    """Streams in memory; ``asked`` counts the queries. ``away`` makes every query fail.

    ``gate`` holds each answer back when the query has been made: what is committed meanwhile is not in it.
    """

    def __init__(self) -> None:
        self.events: dict[str, list[Event]] = {}
        self.pruned: dict[str, int] = {}
        self.closed: set[str] = set()
        self.asked: list[tuple[str, Any]] = []
        self.away = False
        self.refused = 0
        self.gate = threading.Event()
        self.gate.set()

    def add(self, stream: str, count: int = 1, closes: bool = False, message: str = "line") -> list[Event]:
        """Appends, and returns what would be published."""
        stored = self.events.setdefault(stream, [])
        fresh = [event(stream, len(stored) + 1 + n, message) for n in range(count)]
        stored += fresh
        if closes:
            self.closed.add(stream)
        return fresh

    def after(self, stream: str, cursor: int, limit: int = 500) -> list[Event]:
        pruned = cursor < self.pruned.get(stream, 0)
        found = [] if pruned else self.events.get(stream, [])[cursor : cursor + limit]
        self._ask("after", (stream, cursor))
        return found

    def page_part(self, stream: str, start: int, limit: int, cursor: int) -> list[Event]:
        page, parts, size = (
            [] if start < self.pruned.get(stream, 0) else self.events.get(stream, []),
            dict[int, list[Event]](),
            0,
        )
        for stored in page[start : start + limit]:
            parts.setdefault(size // pages.PAGE_BYTES, []).append(stored)
            size += len(stored.payload.encode())
        self._ask("after", (stream, start))
        return next((part for part in parts.values() if any(e.sequence == cursor + 1 for e in part)), [])

    def head_or_create(self, stream: str) -> Head | None:
        return self.heads([stream]).get(stream)

    def heads(self, streams: Sequence[str]) -> dict[str, Head]:
        found = {
            s: Head(len(self.events[s]), self.pruned.get(s, 0), s in self.closed)
            for s in streams
            if s in self.events
        }
        self._ask("heads", list(streams))
        return found

    def queries(self, what: str) -> int:
        return [asked for asked, _ in self.asked].count(what)

    def _ask(self, what: str, about: Any) -> None:
        if self.away:
            self.refused += 1
            raise DatabaseUnavailable("away, as asked")
        self.asked.append((what, about))
        assert self.gate.wait(60), "nobody opened the gate"


class FakeSubscription:
    """Redis as the test wants it: nothing is heard but what the test hands to the hub."""

    def __init__(self) -> None:
        self.connected = True
        self.following: list[str] = []

    @property
    def receiving(self) -> bool:
        return self.connected

    def watch(self) -> None:
        """Has nothing to tell."""

    def subscribe(self, stream: str) -> None:
        self.following.append(stream)

    def unsubscribe(self, stream: str) -> None:
        self.following.remove(stream)

    def run(self) -> None:
        """Hears nothing."""

    def stop(self) -> None:
        """Has nothing to end."""


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is published is sent at once: no tick, no rest after a flush, and no pause in it."""
    monkeypatch.setattr(deliveries, "SLICE_SECONDS", math.inf)
    monkeypatch.setattr(deliveries, "TICK_SECONDS", 0.0)
    monkeypatch.setattr(deliveries, "PAUSE", 0.0)
    monkeypatch.setattr(deliveries, "SHORT_PAUSE", 0.0)


def hub_over(store: FakeStore, stalled_seconds: float = 30.0) -> Hub:
    hub = Hub(store, "redis://127.0.0.1:1/0", stalled_seconds)  # type: ignore[arg-type]
    hub.subscription = FakeSubscription()  # type: ignore[assignment]
    return hub


def publish(hub: Hub, store: FakeStore, stream: str, count: int = 1, closes: bool = False) -> None:
    hub.received(stream, store.add(stream, count, closes), closes)
