"""A room's arithmetic: what it answers is exactly contiguous, or it does not answer."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.stream.event import Event, memory
from app.stream.room import EARLY_BYTES, RING_BYTES, RING_EVENTS, UNSENT_BYTES, Room
from tests.stream.helpers import event, in_threads

STREAM = "task:a"


def events(first: int, last: int, payload: str = "{}") -> list[Event]:
    return [Event(STREAM, sequence, "log", payload) for sequence in range(first, last + 1)]


def room(head: int = 0, pruned_to: int = 0, closed: bool = False) -> Room:
    return Room(STREAM, head, pruned_to, closed)


def sequences(found: list[Event] | None) -> list[int] | None:
    return None if found is None else [e.sequence for e in found]


def test_it_takes_what_continues_the_head_and_drops_what_is_older():
    given_room = room(3)

    assert given_room.accept(events(4, 6)) is True
    assert given_room.accept(events(2, 6)) is False
    assert given_room.accept(events(5, 7)) is True

    assert sequences(given_room.after(3)) == [4, 5, 6, 7]


def test_what_came_before_it_opened_is_not_in_its_ring():
    given_room = room(3)
    given_room.accept(events(4, 4))

    assert given_room.after(2) is None
    assert sequences(given_room.after(3)) == [4]
    assert given_room.after(4) == given_room.after(99) == []


def test_a_jump_waits_until_the_hole_is_filled():
    given_room = room()

    assert given_room.accept(events(3, 4)) is False
    assert given_room.has_early and given_room.head == 0
    assert given_room.accept(events(1, 2)) is True

    assert not given_room.has_early
    assert sequences(given_room.after(0)) == [1, 2, 3, 4]


def test_the_ring_is_bounded_in_events_and_in_bytes():
    many, large = room(), room()

    many.accept(events(1, RING_EVENTS + 10))
    for n in range(1, 11):
        large.accept(events(n, n, "x" * (RING_BYTES // 4 - 200)))
    many.trim(many.head), large.trim(large.head)

    assert many.after(9) is None and len(many.after(10) or ()) == RING_EVENTS
    assert large.after(5) is None and sequences(large.after(6)) == [7, 8, 9, 10]


def test_what_came_while_the_events_before_it_were_sent_stays():
    given_room = room()
    given_room.accept(events(1, 100))

    given_room.accept(events(101, RING_EVENTS + 600))
    given_room.trim(100)

    assert sequences(given_room.after(100)) == list(range(101, RING_EVENTS + 601))


def test_an_event_larger_than_the_ring_is_left_to_postgres():
    given_room = room()

    given_room.accept(events(1, 1, "x" * (RING_BYTES + 1)))
    assert sequences(given_room.after(0)) == [1], "until it was sent"
    given_room.trim(given_room.head)
    assert given_room.head == 1 and given_room.after(0) is None

    given_room.accept(events(2, 2))
    assert given_room.after(0) is None and sequences(given_room.after(1)) == [2]


def test_early_events_are_bounded():
    given_room = room()

    for n in range(2, 2 + 2 * EARLY_BYTES // 10_000):
        given_room.accept(events(n, n, "x" * 10_000))
    kept = given_room.bytes
    given_room.accept(events(1, 1))

    assert EARLY_BYTES <= kept < EARLY_BYTES + 20_000
    assert given_room.head == 1 + kept // memory(events(1, 1, "x" * 10_000)[0])


def test_what_came_early_is_let_go_of_with_the_ring():
    given_room = room()
    given_room.accept(events(5, 9))
    assert given_room.has_early and given_room.bytes > 0

    given_room.forget()

    assert not given_room.has_early and given_room.bytes == 0


def test_a_batch_that_is_larger_than_the_ring_stays_until_it_was_sent():
    given_room = room(3)

    given_room.accept(events(4, RING_EVENTS + 600))
    assert sequences(given_room.after(3)) == list(range(4, RING_EVENTS + 601))
    given_room.trim(given_room.head)

    assert given_room.after(599) is None and len(given_room.after(600) or ()) == RING_EVENTS
    assert given_room.bytes == sum(map(memory, given_room.after(600) or ()))


def test_what_was_not_sent_yet_is_bounded_too():
    given_room = room()

    for n in range(1, 1 + 2 * UNSENT_BYTES // 100_000):
        given_room.accept(events(n, n, "x" * 100_000))

    assert UNSENT_BYTES - 110_000 < given_room.bytes <= UNSENT_BYTES


def test_after_a_jump_it_answers_for_the_new_head_only():
    given_room = room()
    given_room.accept(events(1, 5))
    given_room.accept(events(8, 8))
    given_room.accept(events(11, 12))

    given_room.jump(10, False)

    assert given_room.after(9) is None and given_room.after(12) == []
    assert sequences(given_room.after(10)) == [11, 12]


def test_a_jump_never_goes_back():
    given_room = room()
    given_room.accept(events(1, 5))

    given_room.jump(3, False)

    assert given_room.head == 5 and sequences(given_room.after(0)) == [1, 2, 3, 4, 5]


def test_it_closes_with_its_last_event_and_not_before():
    given_room = room()

    given_room.accept(events(3, 4), closes=True)
    assert not given_room.closed
    given_room.accept(events(1, 2))

    assert given_room.closed and given_room.head == 4
    assert room(4, closed=True).closed


def test_a_jump_to_a_closed_head_closes():
    given_room = room(2)

    given_room.jump(9, True)

    assert given_room.closed and given_room.head == 9


@pytest.mark.slow
def test_a_reader_in_another_thread_never_misses_an_event():
    given_room, stop = room(), threading.Event()
    total = 20_000

    def write() -> None:
        for sequence in range(1, total + 1):
            given_room.accept([event(STREAM, sequence)] if sequence % 64 == 0 else events(sequence, sequence))
        stop.set()

    def read() -> None:
        cursor = 0
        while not stop.is_set() or cursor < given_room.head:
            found = given_room.after(cursor)
            if found is None:
                cursor = given_room.head  # as a viewer would that read Postgres
            elif found:
                assert sequences(found) == list(range(cursor + 1, cursor + 1 + len(found)))
                cursor = found[-1].sequence

    in_threads([write, read, read])


PUBLISH = st.tuples(st.integers(1, 60), st.integers(0, 8), st.booleans())
JUMP = st.integers(1, 60)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    st.integers(0, 10),
    st.lists(PUBLISH | JUMP, max_size=20),
    st.lists(st.integers(0, 70), min_size=1, max_size=8),
)
def test_an_answer_is_contiguous_or_none(
    head: int, steps: list[tuple[int, int, bool] | int], cursors: list[int]
):
    """Publishes come duplicated, late and reordered, with jumps between them."""
    given_room = room(head)
    known: set[int] = set()  # all that ever came, in whatever order
    model = head
    for step in steps:
        if isinstance(step, int):
            given_room.jump(step, False)
            model = max(model, step)
        else:
            first, more, backwards = step
            batch = events(first, first + more)
            given_room.accept(batch[::-1] if backwards else batch)
            known |= {s for s in range(first, first + more + 1) if s > model}
        while model + 1 in known:
            model += 1

        assert given_room.head == model
        for cursor in cursors:
            found = sequences(given_room.after(cursor))
            assert found is None or found == list(range(cursor + 1, model + 1))
            assert found is not None or cursor < model
        assert given_room.after(model) == []
