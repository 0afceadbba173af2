"""Whatever is put in whatever order, and however commits fail: dense sequences, each event once, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.db.persistent import PersistentConnection
from app.stream import writer as writers
from app.stream.store import DatabaseUnavailable
from app.stream.writer import Writer
from tests.stream.helpers import line, messages, new_stream, no_projection

pytestmark = pytest.mark.slow

# What becomes of a commit: it works; its connection breaks before it; it is done and nobody hears of it.
FAULT = st.sampled_from(["none", "none", "before", "unheard"])
PUTS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40)), min_size=1, max_size=8)


@settings(
    deadline=None,
    max_examples=20,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(puts=PUTS, faults=st.lists(FAULT, max_size=12), batch=st.integers(1, 60))
def test_sequences_are_dense_and_nothing_is_lost_or_repeated(
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    puts: list[tuple[int, int]],
    faults: list[str],
    batch: int,
):
    monkeypatch.setattr(writers, "RETRY_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(writers.store, "BATCH_EVENTS", batch)
    streams = [new_stream(database) for _ in range(3)]
    connect, left, published = PersistentConnection(database), list(faults), list[tuple[str, int]]()

    @contextmanager
    def failing() -> Iterator[Any]:
        fault = left.pop() if left else "none"
        with connect() as conn:
            yield conn
            if fault == "before":
                raise DatabaseUnavailable("broken before the commit")
        if fault == "unheard":
            raise DatabaseUnavailable("the answer was lost")

    writer = Writer(
        failing,
        no_projection,
        lambda appended: published.extend((e.stream, e.sequence) for e in appended.events),
    )
    expected: dict[str, list[str]] = {stream: [] for stream in streams}
    for where, count in puts:
        for n in range(count):
            writer.put(line(streams[where], str(n)))
            expected[streams[where]].append(str(n))
    assert writer.close(60)
    connect.close()

    assert {stream: messages(database, stream) for stream in streams} == expected
    assert len(published) == len(set(published)), "nothing is published twice"
