"""Pages behind the rings: read once for all who wait, kept for a moment, and never with a gap."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from app.stream import background
from app.stream import history as histories
from app.stream.event import memory
from app.stream.history import PAGE_EVENTS, History
from app.stream.shared_read import WAITING_AT_ONCE, ReadOutcome
from tests.stream.fakes import FakeStore
from tests.support.system import wait_for

A = "task:a"


@pytest.fixture
def history(store: FakeStore) -> History:
    return History(store)  # type: ignore[arg-type]


def read(history: History, stream: str, cursor: int, pruned_to: int = 0) -> ReadOutcome:
    """Reads the page and waits for it."""
    outcomes: list[ReadOutcome] = []
    history.read(stream, cursor, pruned_to, outcomes.append)
    wait_for("the page", lambda: outcomes)
    return outcomes[0]


def after(history: History, cursor: int, pruned_to: int = 0) -> list[int]:
    return [e.sequence for e in history.after(A, cursor, pruned_to)]


def test_what_was_not_read_is_not_there(history: History):
    assert history.after(A, 0, 0) == []


def test_a_page_serves_every_cursor_within_it(history: History, store: FakeStore):
    store.add(A, PAGE_EVENTS + 10)

    assert read(history, A, 7) is ReadOutcome.READY

    assert after(history, 7) == list(range(8, PAGE_EVENTS + 1))
    assert after(history, 0)[0] == 1 and after(history, PAGE_EVENTS - 1) == [PAGE_EVENTS]
    assert after(history, PAGE_EVENTS) == []
    assert read(history, A, PAGE_EVENTS) is ReadOutcome.READY
    assert after(history, PAGE_EVENTS) == list(range(PAGE_EVENTS + 1, PAGE_EVENTS + 11))
    assert store.asked == [("after", (A, 0)), ("after", (A, PAGE_EVENTS))]


def test_a_page_begins_after_what_was_pruned(history: History, store: FakeStore):
    store.add(A, 9)
    store.pruned[A] = 6

    read(history, A, 7, 6)

    assert after(history, 6, 6) == [7, 8, 9] and after(history, 7, 6) == [8, 9]


def test_what_a_pruned_cursor_gets_has_no_gap(history: History, store: FakeStore):
    store.add(A, 9)
    store.pruned[A] = 6

    assert read(history, A, 2, 6) is ReadOutcome.EMPTY

    assert after(history, 2, 6) == [], "3 to 6 are gone: nothing may follow 2"


def test_a_crowd_waits_for_one_query(history: History, store: FakeStore):
    store.add(A, 20)
    store.gate.clear()
    outcomes: list[ReadOutcome] = []
    for cursor in (20, *range(19)):
        history.read(A, cursor, 0, outcomes.append)
    store.gate.set()

    wait_for("all to be called", lambda: len(outcomes) == 20)
    assert outcomes == [ReadOutcome.EMPTY, *[ReadOutcome.READY] * 19] and store.queries("after") == 1


def test_an_error_is_told_to_all_and_the_next_reads_again(history: History, store: FakeStore):
    store.add(A, 3)
    store.away = True
    assert read(history, A, 0) is ReadOutcome.RETRY
    store.away = False

    assert read(history, A, 0) is ReadOutcome.READY and after(history, 0) == [1, 2, 3]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_whoever_fails_does_not_keep_it_from_the_others(history: History, store: FakeStore):
    store.add(A, 3)
    store.gate.clear()
    calls: list[int] = []

    def fails(*_: object) -> None:
        raise SystemError("as asked")

    for then in (lambda *_: calls.append(1), fails, lambda *_: calls.append(2)):
        history.read(A, 0, 0, then)
    store.gate.set()

    wait_for("the others", lambda: calls == [1, 2])


def test_only_so_many_pages_are_read_at_a_time(history: History, store: FakeStore):
    store.gate.clear()
    streams = [f"task:{n}" for n in range(histories.READERS * 2)]
    calls: list[str] = []
    for stream in streams:
        store.add(stream)
        history.read(stream, 0, 0, lambda *_, stream=stream: calls.append(stream))
    wait_for("the first readers", lambda: store.queries("after") == histories.READERS)
    store.gate.set()

    wait_for("all pages", lambda: sorted(calls) == sorted(streams))


def test_a_page_is_forgotten_after_its_time(
    history: History, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    store.add(A, 3)
    read(history, A, 0)
    assert after(history, 0) == [1, 2, 3]

    monkeypatch.setattr(histories, "KEPT_SECONDS", 0.0)

    assert after(history, 0) == []


def test_a_page_read_again_has_what_came_meanwhile(history: History, store: FakeStore):
    store.add(A, 3)
    read(history, A, 0)
    store.add(A, 2)

    read(history, A, 3)

    assert after(history, 3) == [4, 5] and after(history, 0) == [1, 2, 3, 4, 5]


def test_pages_are_bounded_in_memory(history: History, store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    store.add(A, 5 * PAGE_EVENTS)
    size = sum(map(memory, store.events[A][-PAGE_EVENTS:]))
    monkeypatch.setattr(histories, "KEPT_BYTES", 3 * size)
    for page in range(5):
        read(history, A, page * PAGE_EVENTS)

    assert after(history, 0) == after(history, PAGE_EVENTS) == []
    assert len(after(history, 4 * PAGE_EVENTS)) == PAGE_EVENTS
    assert 2 * size < history._bytes <= 3 * size


def test_old_pages_are_forgotten_though_nobody_asks(history: History, store: FakeStore):
    store.add(A, 9)
    read(history, A, 0)

    history.forget(time.monotonic() + histories.KEPT_SECONDS + 1)

    assert history._pages == history._parts == {} and history._bytes == 0


def test_reading_from_many_threads_counts_what_is_kept(history: History, store: FakeStore):
    for n in range(8):
        store.add(f"task:{n}", 30)
    threads = [
        threading.Thread(target=read, args=(history, f"task:{n % 8}", 0), daemon=True) for n in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    kept = [event for part in history._parts.values() for event in part.events]
    assert len(kept) == 8 * 30 and history._bytes == sum(map(memory, kept))


def test_others_have_their_turn_while_a_crowd_is_told(
    history: History, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    crowd = 4 * WAITING_AT_ONCE
    store.add(A, 20)
    store.gate.clear()
    calls: list[str] = []
    monkeypatch.setattr(
        background, "time", SimpleNamespace(sleep=lambda _: calls.append("a turn"), monotonic=lambda: 0.0)
    )
    for _ in range(crowd):
        history.read(A, 0, 0, lambda *_: calls.append("one"))
    store.gate.set()

    wait_for("all to be told", lambda: calls.count("one") == crowd and calls.count("a turn") == 4)
    assert calls[: 2 * WAITING_AT_ONCE].count("a turn") == 1
