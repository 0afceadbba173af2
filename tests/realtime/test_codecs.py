"""The formats of the wires: event streams as the HTML standard has them, frames as RFC 6455 does."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from app.realtime.socketio.codec import FRAME_BATCHES, FRAMES, PACKET_BATCHES, PACKETS, text_frame
from app.realtime.sse_codec import CHUNKED, PLAIN, SseCodec
from app.stream.event import Event
from app.stream.resync import Resync
from tests.realtime.fakes import frames

STREAM = "task:a"
EVENT = Event(STREAM, 7, "log", '{"stream":"task:a","sequence":7,"message":"ä\\n"}')
LAST = Event(STREAM, 9, "task_status", '{"status":"SUCCESS"}')


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_frame_tells_its_length_in_the_shortest_form(size: int):
    frame = text_frame("x" * size)

    assert frames(frame) == ["x" * size]
    assert len(frame) - size == (2 if size < 126 else 4 if size < 65_536 else 10)


def test_a_frames_length_is_in_bytes():
    assert frames(text_frame("ä" * 63)) == ["ä" * 63] and text_frame("ä" * 63)[1] == 126


def test_packets_and_frames_say_the_same():
    resync = Resync(STREAM, "pruned", 7, 9)
    both = [(codec.frame(EVENT), codec.frame(LAST)) for codec in (PACKETS, FRAMES)]
    for packets, frame in (
        (PACKETS.join(both[0]), FRAMES.join(both[1])),
        (PACKETS.resync(resync), FRAMES.resync(resync)),
        (PACKETS.end(STREAM, LAST, 9), FRAMES.end(STREAM, LAST, 9)),
    ):
        assert frames(frame) == ["4" + packet for packet in packets]


def test_a_socketio_packet_is_an_event_with_its_payload():
    (packet,) = PACKETS.frame(EVENT)

    assert packet[0] == "2" and json.loads(packet[1:]) == ["log", EVENT.decoded()]
    assert json.loads(PACKETS.end(STREAM, LAST, 9)[0][1:]) == ["end", {"stream": STREAM, "status": "SUCCESS"}]
    assert json.loads(PACKETS.end(STREAM, None, 9)[0][1:])[1]["status"] is None


def test_a_batch_is_one_packet_with_its_events_and_none_is_nothing():
    framed, queued = (
        codec.join([codec.frame(EVENT), codec.frame(LAST)]) for codec in (FRAME_BATCHES, PACKET_BATCHES)
    )

    assert frames(framed) == ["4" + packet for packet in queued] and len(queued) == 1
    assert json.loads(queued[0][1:]) == [
        "events",
        [["log", EVENT.decoded()], ["task_status", LAST.decoded()]],
    ]
    assert (FRAME_BATCHES.join([]), PACKET_BATCHES.join([])) == (b"", [])


def unchunked(data: bytes) -> list[bytes]:
    found = []
    while data:
        size, _, rest = data.partition(b"\r\n")
        found.append(rest[: int(size, 16)])
        assert rest[int(size, 16) :][:2] == b"\r\n"
        data = rest[int(size, 16) + 2 :]
    return found


def test_an_event_is_one_chunk_or_none():
    plain = 'id: 7\nevent: log\ndata: {"stream":"task:a","sequence":7,"message":"ä\\n"}\n\n'.encode()

    assert PLAIN.frame(EVENT) == plain
    assert unchunked(CHUNKED.frame(EVENT)) == [plain]
    assert unchunked(CHUNKED.join([CHUNKED.frame(EVENT)] * 2)) == [plain, plain]


@pytest.mark.parametrize("codec", [CHUNKED, PLAIN])
def test_controls_carry_the_cursor(codec: SseCodec):
    def text(data: bytes) -> bytes:
        return b"".join(unchunked(data)) if codec is CHUNKED else data

    room = SimpleNamespace(stream=STREAM)
    filtered, unfiltered = (SimpleNamespace(room=room, filter=types) for types in ({"log"}, None))

    assert text(codec.resync(Resync(STREAM, "pruned", 7, 9))).startswith(b"id: 6\nevent: resync\n")
    assert text(codec.end(STREAM, LAST, 9)).startswith(b"id: 9\nevent: end\ndata: {")
    assert text(codec.quiet(filtered, 5, 1)).startswith(b"id: 5\nevent: heartbeat\n")
    assert text(codec.quiet(unfiltered, 5, 1)) == b":\n", (
        "a blank line would make an empty event for a common client"
    )
    assert codec.farewell("gone", STREAM) == b"", "nobody is there to hear it"
    for reason in ("draining", "stalled", "unavailable"):
        assert b"retry: " in codec.farewell(reason, STREAM) and codec.farewell(reason, STREAM).endswith(
            codec.closing
        )


def test_only_chunks_need_a_last_one():
    assert (CHUNKED.closing, PLAIN.closing) == (b"0\r\n\r\n", b"")
