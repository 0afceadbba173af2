"""The writer over a store of the test's own making: groups, order, bounds, outages, and how it ends."""

from __future__ import annotations

import errno
import threading
from typing import Any

import pytest

from app.stream import writer as writers
from app.stream.store import Appended
from app.stream.writer import Writer, WriterClosed
from tests.stream.fakes import FakeCommits
from tests.stream.helpers import in_threads, line
from tests.support.system import wait_for

STREAM = "task:a"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeCommits:
    return FakeCommits(monkeypatch)


def writer(store: FakeCommits, **more: Any) -> Writer:
    return Writer(store.connect, lambda cur, events: None, store.publish, **more)


def test_nothing_is_lost_and_each_thread_keeps_its_order(store: FakeCommits):
    given = writer(store, limit_events=50)

    in_threads([lambda t=t: [given.put(line(STREAM, f"{t}.{n}")) for n in range(300)] for t in range(8)])
    assert given.close(60)

    for t in range(8):
        assert [m for m in store.messages() if m.startswith(f"{t}.")] == [f"{t}.{n}" for n in range(300)]
    assert len(store.messages()) == 2400


def test_a_group_is_what_gathered_while_the_last_one_committed(store: FakeCommits):
    given = writer(store)
    store.gate.clear()
    given.put(line(STREAM, "alone"))
    wait_for("the first batch to be taken", lambda: not given._buffer)
    for n in range(1500):
        given.put(line(STREAM, str(n)))

    store.gate.set()
    assert given.close(60)

    assert [len(batch) for batch in store.batches] == [1, 1000, 500]


def test_a_group_is_bounded_in_bytes_too(store: FakeCommits):
    given = writer(store)
    store.gate.clear()
    given.put(line(STREAM))
    wait_for("the first batch to be taken", lambda: not given._buffer)
    for _ in range(6):
        given.put(line(STREAM, "x" * 400_000))

    store.gate.set()
    assert given.close(60)

    assert [len(batch) for batch in store.batches] == [1, 3, 3]


@pytest.mark.parametrize("limits", [{"limit_events": 3}, {"limit_bytes": 3 * 180}])
def test_put_waits_when_the_buffer_is_full_and_goes_on_when_it_drains(
    store: FakeCommits, limits: dict[str, int]
):
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
    thread.join(60)
    assert given.close(60) and store.messages() == ["first", *map(str, range(50))]


def test_an_idle_writer_stores_at_once_and_not_at_its_next_tick(
    store: FakeCommits, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writers, "TICK_SECONDS", 3600.0)
    ticks: list[int] = []
    given = writer(store, tick=lambda cur: ticks.append(1))
    given.open()
    wait_for("the first tick", lambda: ticks)

    given.put(line(STREAM))

    assert given.flush(60) and store.messages() == ["line"] and ticks == [1]
    assert given.close(60)


def test_flush_waits_until_all_is_durable(store: FakeCommits):
    given = writer(store)
    assert given.flush(0)
    store.gate.clear()
    given.put(line(STREAM))

    assert not given.flush(0.05) and store.batches == []
    store.gate.set()

    assert given.flush(60) and store.messages() == ["line"]
    assert given.close(60)


@pytest.mark.parametrize("outage", ["away", "lose_answers"])
def test_an_outage_loses_and_repeats_nothing(store: FakeCommits, outage: str):
    given = writer(store)
    setattr(store, outage, 5)

    for n in range(100):
        given.put(line(STREAM, str(n)))
        if n % 10 == 0:
            assert given.flush(60)
    assert given.close(60)

    assert getattr(store, outage) == 0 and store.messages() == [str(n) for n in range(100)]


def test_a_poisoned_draft_costs_only_itself_and_is_marked_in_its_place(store: FakeCommits):
    given = writer(store)
    store.poison = "poison"
    store.gate.clear()
    given.put(line(STREAM, "first"))
    wait_for("the first batch to be taken", lambda: not given._buffer)
    for n in range(9):
        given.put(line(STREAM, "poison" if n == 4 else str(n)))

    store.gate.set()
    assert given.close(60)

    marker = "An event of type log could not be stored"
    assert store.messages() == ["first", "0", "1", "2", "3", marker, "5", "6", "7", "8"]
    assert sum(len(a.events) for a in store.published) == 10


def test_what_cannot_be_published_is_stored_and_so_is_what_follows(store: FakeCommits):
    published: list[Appended] = []

    def publish(appended: Appended) -> None:
        published.append(appended)
        if len(published) == 1:
            raise MemoryError

    given = Writer(store.connect, lambda cur, events: (), publish)
    for n in range(3):
        given.put(line(STREAM, str(n)))
        assert given.flush(60)

    assert given.close(60) and store.messages() == ["0", "1", "2"] and len(published) == 3


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.ENOSPC, "as asked"), RuntimeError("as asked")]
)
def test_what_does_not_speak_of_the_data_is_waited_for(store: FakeCommits, error: Exception):
    given, tries = writer(store), list[int]()
    append = store._append

    def fails(cur: Any, drafts: Any, project: Any) -> Appended:
        tries.append(len(drafts))
        if len(tries) <= 3:
            raise error
        return append(cur, drafts, project)

    writers.append = fails  # the fixture puts it back
    given.put(line(STREAM, "waits"))

    assert given.close(60) and store.messages() == ["waits"]
    assert tries == [1, 1, 1, 1] and given.refused == 0


def test_who_hears_of_a_batch_and_fails_costs_no_later_one(store: FakeCommits):
    def fails(appended: Appended) -> None:
        raise KeyError("a fault of ours")

    given = writer(store, stored=fails)
    for n in range(3):
        given.put(line(STREAM, str(n)))
        assert given.flush(60)

    assert given.close(60) and store.messages() == ["0", "1", "2"] and len(store.published) == 3


def test_a_writer_that_postgres_no_longer_knows_begins_anew(
    store: FakeCommits, monkeypatch: pytest.MonkeyPatch
):
    given, claim_batch = writer(store), writers.claim_batch
    given.put(line(STREAM, "1"))
    assert given.flush(60)
    forgotten = given.id

    def forgets(cur: Any, writer: str, batch: int) -> bool:
        if writer == forgotten:
            raise writers.UnknownWriter(writer)
        return claim_batch(cur, writer, batch)

    monkeypatch.setattr(writers, "claim_batch", forgets)
    given.put(line(STREAM, "2"))

    assert given.close(60) and store.messages() == ["1", "2"] and given.id != forgotten


def test_stored_hears_of_every_batch_after_it_is_published(store: FakeCommits):
    stored: list[tuple[int, int]] = []
    given = writer(store, stored=lambda a: stored.append((len(a.events), len(store.published))))

    for n in range(3):
        given.put(line(STREAM, str(n)))
        assert given.flush(60)

    wait_for("the last batch to be heard of", lambda: stored == [(1, 1), (1, 2), (1, 3)])
    assert given.close(60)


@pytest.mark.parametrize("busy", [True, False])
def test_the_tick_runs_whether_or_not_there_is_work(
    store: FakeCommits, monkeypatch: pytest.MonkeyPatch, busy: bool
):
    monkeypatch.setattr(writers, "TICK_SECONDS", 0.02)
    ticks: list[str] = []
    given = writer(store, tick=lambda cur: ticks.append(threading.current_thread().name))
    given.open()

    def ticked() -> bool:
        if busy:
            given.put(line(STREAM))
        return len(ticks) >= 4

    wait_for("four ticks", ticked)
    assert given.close(60) and set(ticks) == {"taskroom-writer"}


def test_the_tick_survives_an_outage(store: FakeCommits, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writers, "TICK_SECONDS", 0.01)
    ticks: list[int] = []
    given = writer(store, tick=lambda cur: ticks.append(1))
    store.away = 3

    given.open()

    wait_for("a tick after the outage", lambda: ticks)
    assert store.away == 0 and given.close(60)


def test_close_flushes_and_later_puts_are_refused(store: FakeCommits):
    given = writer(store)
    given.put(line(STREAM))

    assert given.close(60) and store.messages() == ["line"]

    with pytest.raises(WriterClosed):
        given.put(line(STREAM))
    assert given.close(1) and writer(store).close(1)


def test_close_says_when_events_are_not_durable(store: FakeCommits, monkeypatch: pytest.MonkeyPatch):
    given, waits = writer(store), list[float | None]()
    store.gate.clear()
    given.put(line(STREAM))

    with monkeypatch.context() as patch:
        patch.setattr(given._thread, "join", waits.append)
        assert given.close(0.05) is False
    assert waits == [0.0], "the flush has taken all the time"
    store.gate.set()
    assert given.close(60)  # its thread would else write through what the next test puts into the module


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_thread_that_died(store: FakeCommits):
    def dies(appended: Appended) -> None:
        raise SystemExit("as asked")

    given = writer(store, stored=dies, limit_events=2)
    given.put(line(STREAM))
    wait_for("the thread's end", lambda: given._thread and not given._thread.is_alive())

    with pytest.raises(WriterClosed):
        given.flush()
    with pytest.raises(WriterClosed):
        for _ in range(3):
            given.put(line(STREAM))
