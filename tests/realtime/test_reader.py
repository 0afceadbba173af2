"""What comes over a WebSocket: whole messages, however they are cut, and no more than one client may say."""

from __future__ import annotations

import struct
import time
import zlib
from types import SimpleNamespace
from typing import Any

import pytest

from app.realtime.socketio.reader import Reader

MASK = b"\x11\x22\x33\x44"


def frame(opcode: int, data: bytes = b"", last: bool = True, more: int = 0) -> bytes:
    """As a client sends it; ``more`` are further bits of the first byte."""
    size = len(data)
    head = bytes([opcode | (0x80 if last else 0) | more])
    if size < 126:
        head += bytes([0x80 | size])
    else:
        head += (
            struct.pack("!BH", 0x80 | 126, size) if size < 65_536 else struct.pack("!BQ", 0x80 | 127, size)
        )
    return head + MASK + bytes(byte ^ MASK[n % 4] for n, byte in enumerate(data))


class Client:
    """A client whose bytes are all there at once, in reads of ``at_once`` bytes; the test has the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, data: bytes, at_once: int = 65_536) -> None:
        self.data, self.at_once, self.is_unauthenticated = data, at_once, False
        self.now, self.sleeps, self.reads = 1000.0, list[float](), 0
        self.sent: list[tuple[bytes, int]] = []
        self.closed: list[int] = []
        self.refusals: list[str] = []
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.ws = SimpleNamespace(
            extensions={},
            send=lambda data, control_code: self.sent.append((data, control_code)),
            close=lambda close_data: self.closed.append(close_data[0]),
            socket=SimpleNamespace(recv=self.recv, shutdown=lambda how: None),
        )

    def recv(self, most: int) -> bytes:
        self.reads += 1
        given = self.data[: min(most, self.at_once)]
        self.data = self.data[len(given) :]
        return given

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def unauthenticated(self, session_id: str) -> bool:
        return self.is_unauthenticated

    def refused(self, session_id: str, why: str) -> None:
        self.refusals.append(why)

    def messages(self) -> list[Any]:
        reader, found = Reader(self.ws, "1-a", self, self.sleep), []
        while (message := reader.wait()) is not None:
            found.append(message)
        return found


@pytest.mark.parametrize("at_once", [1, 7, 65_536])
def test_messages_come_whole_however_they_are_cut(monkeypatch: pytest.MonkeyPatch, at_once: int):
    long = "ä" * 40_000
    client = Client(
        monkeypatch,
        frame(1, b"2")
        + frame(1, "4ü".encode()[:2], last=False)
        + frame(9, b"in the middle")
        + frame(0, b"", last=False)
        + frame(0, "4ü".encode()[2:])
        + frame(2, b"\x00\xff")
        + frame(10)
        + frame(1)
        + frame(1, long.encode())
        + frame(8, struct.pack("!H", 1001)),
        at_once,
    )

    assert client.messages() == ["2", "4ü", b"\x00\xff", "", long]
    assert client.sent == [(b"in the middle", 10)]
    assert client.closed == [1001] and client.refusals == []


def test_a_message_in_pieces_of_a_byte_is_refused(monkeypatch: pytest.MonkeyPatch):
    pieces = frame(1, b"4", last=False) + frame(0, b"x", last=False) * 100_000
    client = Client(monkeypatch, pieces)

    assert client.messages() == []
    assert client.closed == [1008]
    assert len(client.data) > len(pieces) - 40_000, "the rest is not even read"


@pytest.mark.parametrize("opcode", [9, 10, 1])
def test_frames_of_every_kind_are_read_at_a_pace(monkeypatch: pytest.MonkeyPatch, opcode: int):
    client = Client(monkeypatch, frame(opcode) * 2_400)

    client.messages()

    assert client.now - 1000 == pytest.approx(20, abs=0.5), "400 at once, and 100 a second then"
    assert client.refusals == []


def test_bytes_are_read_at_a_pace(monkeypatch: pytest.MonkeyPatch):
    client = Client(monkeypatch, frame(2, b"x" * 99_000) * 40)

    assert len(client.messages()) == 40
    assert client.now - 1000 == pytest.approx(2_960_000 / 256_000, abs=0.5), "a million at once"


def test_the_others_run_while_there_is_always_something_to_read(monkeypatch: pytest.MonkeyPatch):
    for data in (frame(2, b"x" * 99_000) * 10, frame(9) * 390):
        client = Client(monkeypatch, data)
        client.messages()
        assert client.now == 1000, "no pace is set yet"
        assert len(client.sleeps) >= 3


def test_a_stranger_may_send_16384_bytes_until_it_has_signed_in(monkeypatch: pytest.MonkeyPatch):
    message = frame(1, b"x" * 250)  # of 258 bytes
    client = Client(monkeypatch, message * 200, at_once=258)
    client.is_unauthenticated = True

    assert len(client.messages()) == 16_384 // 258
    assert client.closed == [1008]

    client = Client(monkeypatch, message * 200, at_once=258)
    assert len(client.messages()) == 200


def test_who_signs_out_is_a_stranger_with_as_much_as_any(monkeypatch: pytest.MonkeyPatch):
    client = Client(monkeypatch, frame(1, b"x" * 992) * 40, at_once=1_000)
    client.is_unauthenticated = True
    reader = Reader(client.ws, "1-a", client, client.sleep)
    assert [reader.wait() for _ in range(10)] == ["x" * 992] * 10
    client.is_unauthenticated = False
    assert reader.wait() == "x" * 992
    client.is_unauthenticated = True

    assert [reader.wait() for _ in range(16)] == ["x" * 992] * 16
    assert reader.wait() is None


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x81\x02hi", 1002),  # unmasked
        (frame(3, b"x"), 1002),
        (frame(0, b"x"), 1002),
        (frame(1, b"x", last=False) + frame(1, b"y"), 1002),
        (frame(9, b"x", last=False), 1002),
        (frame(9, b"x" * 126), 1002),
        (frame(1, b"x", more=0x40), 1002),
        (frame(1, b"x", more=0x20), 1002),
        (frame(1, b"\xff\xfe"), 1007),
        (frame(1, b"x" * 100_001), 1009),
        (frame(1, b"x" * 60_000, last=False) + frame(0, b"x" * 60_000), 1009),
        (b"\x81\xff" + struct.pack("!Q", 2**63) + MASK, 1009),
        (frame(8, b"\x03"), 1002),
        (frame(8, struct.pack("!H", 1005)), 1002),
        (frame(8), 1000),
    ],
)
def test_what_ends_the_connection(monkeypatch: pytest.MonkeyPatch, data: bytes, status: int):
    client = Client(monkeypatch, data + frame(1, b"more"))

    assert client.messages() == [] and client.closed == [status]


def test_compressed_messages_are_read_and_are_as_small(monkeypatch: pytest.MonkeyPatch):
    def packed(*texts: bytes) -> bytes:
        deflate = zlib.compressobj(wbits=-15)
        data = [(deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4] for text in texts]
        return b"".join(frame(1, each, more=0x40) for each in data)

    client = Client(monkeypatch, packed(b"4hello", b"4hello again", b"x" * 99_999) + frame(1, b"plain"))
    client.ws.extensions = {"permessage-deflate": {}}
    assert client.messages() == ["4hello", "4hello again", "x" * 99_999, "plain"]

    for bomb in (packed(b"x" * 10_000_000), frame(1, b"\xff" * 50, more=0x40)):
        client = Client(monkeypatch, bomb)
        client.ws.extensions = {"permessage-deflate": {}}
        assert client.messages() == [] and len(client.closed) == 1
