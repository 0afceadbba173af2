"""The queue between the process that passes output on and the one that reports it."""

from __future__ import annotations

import io

from taskroom.cli.frames import END, LOST, STDERR, STDOUT, Frame, Frames, encoded, read


def taken(frames: Frames) -> list[Frame]:
    frames.close()
    found = []
    while (frame := frames.get()) is not None:
        found.append(frame)
    return found


def test_frames_come_out_in_their_order() -> None:
    frames = Frames(1_000_000)
    put = [Frame(STDOUT, 1.5, b"a\n"), Frame(STDERR, 2.0, b"b\n"), Frame(END, 3.0, b"{}")]
    for frame in put:
        frames.put(frame)

    assert taken(frames) == put
    assert frames.get() is None


def test_what_does_not_fit_is_dropped_and_counted_by_stream() -> None:
    frames = Frames(1_000)
    big = b"1\n2\n" + b"x" * 900
    for body in (big, b"3\n4\n5\n"):
        frames.put(Frame(STDOUT, 1.0, body))
    frames.put(Frame(STDERR, 1.0, b"e\n"))
    frames.put(Frame(LOST, 1.0, STDOUT + b"10"))
    assert frames.get() == Frame(STDOUT, 1.0, big)

    frames.put(Frame(STDOUT, 2.0, b"6\n"))

    assert taken(frames) == [
        Frame(LOST, 2.0, STDOUT + b"13"),
        Frame(LOST, 2.0, STDERR + b"1"),
        Frame(STDOUT, 2.0, b"6\n"),
    ]


def test_the_end_has_room_always_and_comes_after_what_is_missing() -> None:
    frames = Frames(100)
    frames.put(Frame(STDOUT, 1.0, b"x" * 100))
    frames.put(Frame(STDOUT, 2.0, b"lost\n"))

    frames.put(Frame(END, 3.0, b"{}"))

    assert [frame.kind for frame in taken(frames)] == [STDOUT, LOST, END]


def test_a_frame_is_read_as_it_was_written_and_one_that_was_cut_is_the_end() -> None:
    first, second = Frame(STDOUT, 1.25, b"out\n\0"), Frame(END, 2.0, b"")
    data = encoded(first) + encoded(second)

    source = io.BytesIO(data)
    assert (read(source), read(source), read(source)) == (first, second, None)
    assert read(io.BytesIO(data[:10])) is None
    assert read(io.BytesIO(data[:15])) is None
