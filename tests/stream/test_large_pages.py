"""Large events are read back in parts of about a megabyte, and whoever reads them gets on."""

from __future__ import annotations

import pytest

from app.db.persistent import PersistentConnection
from app.stream import history as histories
from app.stream import pages
from app.stream.event import memory
from app.stream.hub import Hub
from app.stream.store import Store
from tests.stream.fakes import FakeStore
from tests.stream.helpers import appended, line, new_stream
from tests.stream.wires import view
from tests.support.system import wait_for

pytestmark = pytest.mark.slow

A = "task:a"
LONG = "…" + "x" * 16_383  # such a text takes two bytes a character in memory
EVENTS = 500


def test_a_page_of_long_lines_reaches_its_viewers(hub: Hub, store: FakeStore):
    """In memory it is larger than all that is kept."""
    stored = store.add(A, EVENTS, message=LONG)
    assert sum(map(memory, stored)) > histories.KEPT_BYTES

    (_, first), (_, amid) = view(hub, A, 0), view(hub, A, 317)

    for wire in first, amid:  # each is sent half a megabyte at a time
        wait_for("the last", lambda wire=wire: wire.drain() or wire.sequences[-1:] == [EVENTS])
    first.gets(*range(1, EVENTS + 1))
    amid.gets(*range(318, EVENTS + 1))
    assert first.controls == amid.controls == [], "a part of a page is no hole"
    assert store.queries("after") <= 2 * 9


def test_what_was_just_read_is_kept_however_large_it_is(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(histories, "KEPT_BYTES", 1)
    store.add(A, EVENTS + 20, closes=True)

    _, wire = view(hub, A, 0)

    wire.gets(*range(1, EVENTS + 21))
    wait_for("the end", lambda: [kind for kind, _ in wire.controls] == ["end"])
    assert store.queries("after") <= 4


def test_whatever_follows_a_cursor_comes_in_parts_of_a_megabyte(database: str):
    connect, stream = PersistentConnection(database), new_stream(database)
    for _ in range(EVENTS // 50):
        appended(connect, [line(stream, LONG) for _ in range(50)])
    store, size, cursor = Store(connect), 16_600, 0
    parts = []

    while cursor < EVENTS:
        parts.append(store.page_part(stream, 0, EVENTS, cursor))
        cursor = parts[-1][-1].sequence

    assert [event.sequence for part in parts for event in part] == list(range(1, EVENTS + 1))
    assert len(parts) == 9 and max(map(len, parts)) * size <= pages.PAGE_BYTES + size
    inside = parts[3][20].sequence
    shared = [event.sequence for event in store.page_part(stream, 0, EVENTS, inside)]
    assert shared == [event.sequence for event in parts[3]], "the same part for whoever is within it"
    assert store.page_part(stream, 0, EVENTS, EVENTS) == store.page_part(stream, EVENTS, EVENTS, EVENTS) == []
    after = [event.sequence for event in store.after(stream, 7)]
    assert after == list(range(8, 8 + len(after))) and 0 < len(after) * size <= pages.PAGE_BYTES + size


def test_an_event_that_is_larger_than_a_part_comes_alone(database: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "PAGE_BYTES", 100)
    connect, stream = PersistentConnection(database), new_stream(database)
    appended(connect, [line(stream, "x" * 500) for _ in range(3)])
    store = Store(connect)

    assert [[e.sequence for e in store.page_part(stream, 0, 500, n)] for n in range(4)] == [[1], [2], [3], []]
    assert [[e.sequence for e in store.after(stream, n)] for n in range(4)] == [[1], [2], [3], []]
