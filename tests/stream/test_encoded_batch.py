"""An encoded batch: what is joined, what a filter keeps back, and where a wire stands that took only a part."""

from __future__ import annotations

import pytest

from app.stream import encoded_batch
from app.stream.codec import Filter
from app.stream.encoded_batch import EncodedBatch, Position
from app.stream.event import Event
from tests.stream.wires import BATCHES, LINES, PARCELS, Lines

STREAM = "task:a"


def events(first: int, last: int, payload: str = "{}") -> list[Event]:
    return [
        Event(STREAM, n, "log" if n % 2 else "task_status", payload, "INFO" if n % 2 else None)
        for n in range(first, last + 1)
    ]


def frames(batch: EncodedBatch) -> list[int]:
    return [int(line.split()[1]) for line in bytes(batch.data).splitlines()]


def test_it_joins_all_events_and_knows_where_they_lead():
    batch = EncodedBatch.of(events(4, 7), LINES, Filter())

    assert (batch.start, batch.cursor, frames(batch)) == (3, 7, [4, 5, 6, 7])


def test_what_a_filter_keeps_back_moves_the_cursor_all_the_same():
    some = EncodedBatch.of(events(1, 4), LINES, Filter(types=frozenset({"log"})))
    none = EncodedBatch.of(events(1, 4), LINES, Filter(types=frozenset({"agent_started"})))

    assert (some.start, some.cursor, frames(some)) == (0, 4, [1, 3])
    assert (none.start, none.cursor, none.data) == (0, 4, b"")
    assert EncodedBatch.of(events(1, 4), PARCELS, Filter(types=frozenset({"x"}))).data == []


def test_a_level_passes_what_is_as_severe_and_what_has_none():
    warning = Filter(level="WARNING")
    given = [Event(STREAM, 1, "log", "{}", level) for level in ("DEBUG", "WARNING", "CRITICAL", None)]

    assert [warning.passes(e) for e in given] == [False, True, True, True]
    assert not Filter() and warning and Filter(types=frozenset({"log"}))


@pytest.mark.parametrize(
    ("codec", "limit"), [(LINES, encoded_batch.BATCH_CHARS), (BATCHES, encoded_batch.FRAME_CHARS)]
)
def test_it_ends_at_its_limit_and_has_one_event_at_least(codec: Lines, limit: int):
    size = limit // 4

    assert EncodedBatch.of(events(1, 9, "x" * size), codec, Filter()).cursor == 4
    assert EncodedBatch.of(events(1, 9, "x" * (5 * size)), codec, Filter()).cursor == 1


@pytest.mark.parametrize("codec", [LINES, BATCHES])
@pytest.mark.parametrize("filter", [Filter(), Filter(types=frozenset({"log"}))])
def test_cut_anywhere_the_parts_make_the_whole(filter: Filter, codec: Lines):
    """At every byte: what was taken, the rest of the frame and what follows the new cursor is the batch again."""
    given = events(1, 6)
    batch = EncodedBatch.of(given, codec, filter)
    for taken in range(len(batch.data) + 1):
        position = batch.position_after(taken)
        sent = batch.data[:taken] + position.remainder
        assert sent == b"" or sent.endswith(b"\n")
        left = given[position.cursor :]
        assert sent + (EncodedBatch.of(left, codec, filter).data if left else b"") == batch.data, taken
        assert (taken == len(batch.data)) is (position == Position(batch.cursor, b""))


def test_exactly_between_two_frames_nothing_is_owed():
    batch = EncodedBatch.of(events(1, 3), LINES, Filter())
    first = len(LINES.frame(events(1, 1)[0]))

    assert batch.position_after(0) == Position(0, b"")
    assert batch.position_after(first) == Position(1, b"")
    assert batch.position_after(first - 1) == Position(1, b"\n")
    assert batch.position_after(first + 1).cursor == 2
    assert batch.position_after(len(batch.data)) == Position(3, b"")


def test_one_frame_of_all_is_owed_to_its_end():
    log, given = Filter(types=frozenset({"log"})), events(1, 4)
    batch = EncodedBatch.of(given, BATCHES, log)

    assert batch.position_after(0) == Position(0, b"") and batch.types_up_to(0) == []
    assert batch.position_after(1) == Position(4, batch.data[1:]) and batch.types_up_to(4) == ["log", "log"]
    assert EncodedBatch.of(given, BATCHES, Filter(types=frozenset({"agent_started"}))).data == b""


def test_a_packet_is_taken_whole_or_not_at_all():
    batch = EncodedBatch.of(events(1, 5), PARCELS, Filter())

    assert len(batch.data) == 5
    assert [batch.position_after(n) for n in range(6)] == [Position(n, []) for n in range(6)]


def test_each_event_is_encoded_once():
    class Counting(Lines):
        made = 0

        def frame(self, event: Event) -> bytes:
            Counting.made += 1
            return super().frame(event)

    EncodedBatch.of(events(1, 5), Counting(), Filter())
    assert Counting.made == 5
