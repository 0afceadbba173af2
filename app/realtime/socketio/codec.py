"""The formats of events on Socket.IO: packets for the library's queue, and the same packets in WebSocket frames."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import orjson

from app.realtime.sse_codec import ending
from app.stream.codec import Data
from app.stream.event import Event
from app.stream.resync import Resync


class Packets:
    """Socket.IO packets (protocol 5, type 2: event, namespace /) for the library's own queue."""

    shared, one_frame = True, False

    def frame(self, event: Event) -> Data:
        return [f'2["{event.type}",{event.payload}]']

    def join(self, frames: Sequence[Any]) -> Data:
        return [packet for frame in frames for packet in frame]

    def resync(self, resync: Resync) -> Data:
        return self.control("resync", resync.message())

    def end(self, stream: str, last: Event | None, cursor: int) -> Data:
        return self.control("end", ending(stream, last))

    def control(self, type: str, data: dict[str, Any]) -> Data:
        return [packet(type, data)]


class Frames(Packets):
    """The same packets inside Engine.IO messages (type 4) inside unmasked WebSocket text frames, RFC 6455."""

    def frame(self, event: Event) -> Data:
        return text_frame(f'42["{event.type}",{event.payload}]')

    def join(self, frames: Sequence[Any]) -> Data:
        return b"".join(frames)

    def control(self, type: str, data: dict[str, Any]) -> Data:
        return text_frame("4" + packet(type, data))


class PacketBatches(Packets):
    """One packet a batch, ``events`` with a list of [type, payload], for clients that ask for it: a browser runs a task
    for each message, and there may be a thousand a second."""

    one_frame = True

    def frame(self, event: Event) -> Data:
        return [_entry(event)]

    def join(self, frames: Sequence[Any]) -> Data:
        return [_batch([entry for frame in frames for entry in frame])] if frames else []


class FrameBatches(Frames):
    """The same packets inside frames."""

    one_frame = True

    def frame(self, event: Event) -> Data:
        return _entry(event)

    def join(self, frames: Sequence[Any]) -> Data:
        return text_frame("4" + _batch(frames)) if frames else b""


PACKETS, FRAMES = Packets(), Frames()
PACKET_BATCHES, FRAME_BATCHES = PacketBatches(), FrameBatches()


def _entry(event: Event) -> str:
    return f'["{event.type}",{event.payload}]'


def _batch(entries: Sequence[str]) -> str:
    return f'2["events",[{",".join(entries)}]]'


def packet(type: str, data: dict[str, Any]) -> str:
    return f'2["{type}",{orjson.dumps(data).decode()}]'


def text_frame(text: str) -> bytes:
    data = text.encode()
    size = len(data)
    if size < 126:
        return b"\x81%c%b" % (size, data)
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size) + data
    return struct.pack("!BBQ", 0x81, 127, size) + data
