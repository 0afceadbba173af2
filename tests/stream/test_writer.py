"""The writer over a store of the test's own making: groups, order, bounds, outages, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from app.stream import writer as writers
from app.stream.event import Draft, Event, head_of, number
from app.stream.store import Appended, StoreAway
from app.stream.writer import Writer, WriterClosed
from tests.stream.helpers import in_threads, line
from tests.support.system import wait_for

STREAM = "task:a"


class FakeStore:
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
        monkeypatch.setattr(writers, "register_writer", lambda cur, writer: self.settled.setdefault(writer, 0))
        monkeypatch.setattr(writers, "settle", self._settle)
        monkeypatch.setattr(writers, "append", self._append)

    @contextmanager
    def connect(self) -> Iterator[Any]:
        if self.away:
            self.away -= 1
            raise StoreAway("away, as asked")
        self.gate.wait(20)
        self._undo = (len(self.batches), dict(self.settled))
        try:
            yield FakeConnection()
        except BaseException:
            del self.batches[self._undo[0] :]
            self.settled = self._undo[1]
            raise
        if self.lose_answers and len(self.batches) > self._undo[0]:
            self.lose_answers -= 1
            raise StoreAway("the answer to the commit is lost")

    def messages(self) -> list[str]:
        return [e.decoded()["message"] for batch in self.batches for e in batch]

    def publish(self, appended: Appended) -> None:
        known = {id(e) for batch in self.batches for e in batch}
        assert all(id(e) in known for e in appended.events), "published before its commit"
        self.published.append(appended)

    def _settle(self, cur: Any, writer: str, batch: int) -> bool:
        if self.settled[writer] == batch:
            return False
        assert self.settled[writer] == batch - 1
        self.settled[writer] = batch
        return True

    def _append(self, cur: Any, drafts: Sequence[Draft], project: Any) -> Appended:
        if self.poison and any(self.poison in d.tail for d in drafts):
            raise ValueError("poisoned")
        start = sum(map(len, self.batches)) + 1
        events = [number(d, head_of(d.stream), start + i) for i, d in enumerate(drafts)]
        self.batches.append(events)
        return Appended(events)


class FakeConnection:
    @contextmanager
    def cursor(self) -> Iterator[None]:
        yield None


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    return FakeStore(monkeypatch)


def writer(store: FakeStore, **more: Any) -> Writer:
    return Writer(store.connect, lambda cur, events: None, store.publish, **more)


def test_nothing_is_lost_and_each_thread_keeps_its_order(store: FakeStore):
    given = writer(store, limit_events=50)

    in_threads([lambda t=t: [given.put(line(STREAM, f"{t}.{n}")) for n in range(300)] for t in range(8)])
    assert given.close(20)

    for t in range(8):
        assert [m for m in store.messages() if m.startswith(f"{t}.")] == [f"{t}.{n}" for n in range(300)]
    assert len(store.messages()) == 2400


def test_a_group_is_what_gathered_while_the_last_one_committed(store: FakeStore):
    given = writer(store)
    store.gate.clear()
    given.put(line(STREAM, "alone"))
    wait_for("the first batch to be taken", lambda: not given._buffer)
    for n in range(1500):
        given.put(line(STREAM, str(n)))

    store.gate.set()
    assert given.close(20)

    assert [len(batch) for batch in store.batches] == [1, 1000, 500]


def test_a_group_is_bounded_in_bytes_too(store: FakeStore):
    given = writer(store)
    store.gate.clear()
    given.put(line(STREAM))
    wait_for("the first batch to be taken", lambda: not given._buffer)
    for _ in range(6):
        given.put(line(STREAM, "x" * 400_000))

    store.gate.set()
    assert given.close(20)

    assert [len(batch) for batch in store.batches] == [1, 3, 3]


@pytest.mark.parametrize("limits", [{"limit_events": 3}, {"limit_bytes": 3 * 180}])
def test_put_waits_when_the_buffer_is_full_and_goes_on_when_it_drains(store: FakeStore, limits: dict[str, int]):
    given, done = writer(store, **limits), []
    store.gate.clear()
    given.put(line(STREAM, "first"))
    wait_for("the first batch to be taken", lambda: not given._buffer)

    def puts() -> None:
        for n in range(50):
            given.put(line(STREAM, str(n)))
            done.append(n)

    thread = threading.Thread(target=puts, daemon=True)
    thread.start()
    wait_for("a full buffer", given._full)
    assert len(done) <= 4 and not given.flush(0.1) and len(done) <= 4

    store.gate.set()
    thread.join(20)
    assert given.close(20) and store.messages() == ["first", *map(str, range(50))]


def test_flush_waits_until_all_is_durable(store: FakeStore):
    given = writer(store)
    assert given.flush(0)
    store.gate.clear()
    given.put(line(STREAM))

    assert not given.flush(0.05) and store.batches == []
    store.gate.set()

    assert given.flush(20) and store.messages() == ["line"]
    assert given.close(20)


@pytest.mark.parametrize("outage", ["away", "lose_answers"])
def test_an_outage_loses_and_repeats_nothing(store: FakeStore, outage: str):
    given = writer(store)
    setattr(store, outage, 5)

    for n in range(100):
        given.put(line(STREAM, str(n)))
        if n % 10 == 0:
            assert given.flush(20)
    assert given.close(20)

    assert getattr(store, outage) == 0 and store.messages() == [str(n) for n in range(100)]


def test_a_poisoned_draft_costs_only_itself_and_is_marked_in_its_place(store: FakeStore):
    given = writer(store)
    store.poison = "poison"
    store.gate.clear()
    given.put(line(STREAM, "first"))
    wait_for("the first batch to be taken", lambda: not given._buffer)
    for n in range(9):
        given.put(line(STREAM, "poison" if n == 4 else str(n)))

    store.gate.set()
    assert given.close(20)

    marker = "An event of type log could not be stored"
    assert store.messages() == ["first", "0", "1", "2", "3", marker, "5", "6", "7", "8"]
    assert sum(len(a.events) for a in store.published) == 10


def test_a_writer_that_postgres_no_longer_knows_begins_anew(store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    given, settle = writer(store), writers.settle
    given.put(line(STREAM, "1"))
    assert given.flush(20)
    forgotten = given.id

    def forgets(cur: Any, writer: str, batch: int) -> bool:
        if writer == forgotten:
            raise writers.UnknownWriter(writer)
        return settle(cur, writer, batch)

    monkeypatch.setattr(writers, "settle", forgets)
    given.put(line(STREAM, "2"))

    assert given.close(20) and store.messages() == ["1", "2"] and given.id != forgotten


def test_stored_hears_of_every_batch_after_it_is_published(store: FakeStore):
    heard: list[tuple[int, int]] = []
    given = writer(store, stored=lambda a: heard.append((len(a.events), len(store.published))))

    for n in range(3):
        given.put(line(STREAM, str(n)))
        assert given.flush(20)

    wait_for("the last batch to be heard of", lambda: heard == [(1, 1), (1, 2), (1, 3)])
    assert given.close(20)


@pytest.mark.parametrize("busy", [True, False])
def test_the_tick_runs_whether_or_not_there_is_work(store: FakeStore, monkeypatch: pytest.MonkeyPatch, busy: bool):
    monkeypatch.setattr(writers, "TICK_SECONDS", 0.02)
    ticks: list[str] = []
    given = writer(store, tick=lambda cur: ticks.append(threading.current_thread().name))
    given.open()

    def ticked() -> bool:
        if busy:
            given.put(line(STREAM))
        return len(ticks) >= 4

    wait_for("four ticks", ticked)
    assert given.close(20) and set(ticks) == {"taskroom-writer"}


def test_the_tick_survives_an_outage(store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writers, "TICK_SECONDS", 0.01)
    ticks: list[int] = []
    given = writer(store, tick=lambda cur: ticks.append(1))
    store.away = 3

    given.open()

    wait_for("a tick after the outage", lambda: ticks)
    assert store.away == 0 and given.close(20)


def test_close_flushes_and_later_puts_are_refused(store: FakeStore):
    given = writer(store)
    given.put(line(STREAM))

    assert given.close(20) and store.messages() == ["line"]

    with pytest.raises(WriterClosed):
        given.put(line(STREAM))
    assert given.close(1) and writer(store).close(1)


def test_close_says_when_events_are_not_durable(store: FakeStore):
    given = writer(store)
    store.gate.clear()
    given.put(line(STREAM))

    assert given.close(0.05) is False
    store.gate.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_thread_that_died(store: FakeStore):
    def dies(appended: Appended) -> None:
        raise SystemError("as asked")

    given = writer(store, stored=dies, limit_events=2)
    given.put(line(STREAM))
    wait_for("the thread's end", lambda: given._thread and not given._thread.is_alive())

    with pytest.raises(WriterClosed):
        given.flush()
    with pytest.raises(WriterClosed):
        for _ in range(3):
            given.put(line(STREAM))
