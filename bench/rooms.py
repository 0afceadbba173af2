"""The bytes of SSE and of Socket.IO over WebSocket, for viewers of one room.

A room's ``slow`` parses the bytes that differ from the canon: handshakes, control messages, keep-alives, other chunks
of the same events, and the events of their first reader.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from bench.canon import Canon, Disorder, sequence_in

if TYPE_CHECKING:
    from bench.load import Viewer

_NOISE = re.compile(rb"(?::[^\n]*\n|\r?\n)+")
_BLOCK_END = re.compile(rb"\r?\n\r?\n")
_ID = re.compile(rb"^id: ?(\d+)\r?$", re.MULTILINE)


class Room:
    """One stream on one server over one wire. ``number`` is the stream's row in the publisher's times."""

    def __init__(self, address: tuple[str, int], number: int, first: int) -> None:
        self.address, self.number, self.first = address, number, first
        self.raw = Canon(first)

    def hello(self, viewer: Viewer) -> bytes:
        raise NotImplementedError

    def slow(self, viewer: Viewer, data: bytes) -> None:
        """Parses received bytes; advances the viewer's sequence. Raises Disorder."""
        raise NotImplementedError

    def _head(self, viewer: Viewer, data: bytes, status: bytes) -> bytes | None:
        """Returns the head of the response to ``hello``, None while it is incomplete. Raises Disorder for another
        status."""
        head, found, _ = data.partition(b"\r\n\r\n")
        if not found:
            viewer.pending = data
            return None
        if head.split(b" ", 2)[1] != status:
            raise Disorder(f"answered {head.splitlines()[0].decode()}")
        viewer.stage = 1
        return head

    def seat(self, viewer: Viewer) -> None:
        """Returns to the comparison once the viewer is at an end of the canon."""
        start = self.raw.end(viewer.sequence)
        if viewer.joined_at and start is not None and self.raw.bytes.startswith(viewer.pending, start):
            viewer.offset, viewer.pending = start + len(viewer.pending), b""


class SseRoom(Room):
    """A server that ``greets`` sends a greeting first. ``live`` viewers start at the sequence of the greeting."""

    def __init__(
        self,
        address: tuple[str, int],
        path: str,
        number: int = 0,
        first: int = 0,
        headers: str = "",
        greets: bool = True,
        live: bool = False,
    ) -> None:
        super().__init__(address, number, first)
        self.path, self.headers, self.greets, self.live = path, headers, greets, live
        self.text = Canon(first)

    def hello(self, viewer: Viewer) -> bytes:
        resume = f"Last-Event-ID: {viewer.sequence}\r\n" if viewer.resumes else ""
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n{self.headers}{resume}\r\n"
        ).encode()

    def slow(self, viewer: Viewer, data: bytes) -> None:
        data = viewer.pending + data
        at = 0
        if viewer.stage == 0:
            head = self._head(viewer, data, b"200")
            if head is None:
                return
            at = len(head) + 4
            viewer.chunked = b"transfer-encoding: chunked" in head.lower()
            if not self.greets:
                viewer.join()
        while unit := _chunk(data, at) if viewer.chunked else _rest(data, at):
            end, payload = unit
            before, whole = viewer.sequence, not viewer.text
            if self._read(viewer, payload) and whole and before == self.raw.last:
                self.raw.append(data[at:end], viewer.sequence)
            at = end
        viewer.pending = data[at:]
        if not viewer.text:
            self.seat(viewer)

    def _read(self, viewer: Viewer, payload: bytes) -> bool:
        """Parses a piece of the event stream; returns whether it has complete events only."""
        text = viewer.text + payload
        events, at = True, 0
        while at < len(text):
            viewer.sequence, size = self.text.skip(viewer.sequence, memoryview(text)[at:])
            at += size
            if noise := _NOISE.match(text, at):
                events, at = False, noise.end()
                viewer.comments += 1
                continue
            block = _BLOCK_END.search(text, at)
            if block is None:
                break
            unit, at = text[at : block.end()], block.end()
            if sequence_in(unit) is None:
                events = False
                self._control(viewer, unit)
            else:
                viewer.sequence = self.text.check(viewer.sequence, unit)
        viewer.text = text[at:]
        return events and not viewer.text

    def _control(self, viewer: Viewer, block: bytes) -> None:
        if b"event: connected" in block:
            if found := _ID.search(block):
                cursor = int(found[1])
                if cursor != viewer.sequence and (viewer.resumes or not self.live):
                    raise Disorder(f"the server starts at {cursor}, asked for was {viewer.sequence}")
                viewer.sequence = cursor
            viewer.join()
        elif b"event: resync" in block or b"event: token_expired" in block or b"event:" not in block:
            # The last block may be a bare ``retry:``, which asks for a later reconnection.
            raise Disorder(block.decode().strip())


class SocketRoom(Room):
    """The official client's steps over WebSocket: Engine.IO open, connect with ``auth``, emit ``join_task``."""

    def __init__(
        self,
        address: tuple[str, int],
        join: dict[str, Any],
        number: int = 0,
        first: int = 0,
        auth: dict[str, str] | None = None,
    ) -> None:
        super().__init__(address, number, first)
        self.connect = b"40" + json.dumps(auth or {}).encode()
        self.wanted = join

    def hello(self, viewer: Viewer) -> bytes:
        key = base64.b64encode(b"bench bench bench").decode()[:22] + "=="
        return (
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()

    def slow(self, viewer: Viewer, data: bytes) -> None:
        data = viewer.pending + data
        at = 0
        if viewer.stage == 0:
            head = self._head(viewer, data, b"101")
            if head is None:
                return
            at = len(head) + 4
        while True:
            if viewer.joined_at:
                viewer.sequence, size = self.raw.skip(viewer.sequence, memoryview(data)[at:])
                at += size
            unit = _frame(data, at)
            if unit is None:
                break
            end, opcode, payload = unit
            if opcode == 8:
                raise Disorder("the server closed the WebSocket")
            if opcode == 9:
                viewer.send(_masked(payload, 10))
            elif payload.startswith(b"42") and sequence_in(payload) is not None:
                viewer.sequence = self.raw.check(viewer.sequence, data[at:end])
            else:
                self._control(viewer, payload)
            at = end
        viewer.pending = data[at:]
        self.seat(viewer)

    def _control(self, viewer: Viewer, packet: bytes) -> None:
        if packet == b"2":
            viewer.send(_masked(b"3"))
            viewer.comments += 1
        elif packet.startswith(b"0"):
            viewer.send(_masked(self.connect))
        elif packet.startswith(b"40"):
            wanted = self.wanted | ({"since_sequence": viewer.sequence} if viewer.resumes else {})
            viewer.send(_masked(b'420["join_task",' + json.dumps(wanted).encode() + b"]"))
        elif packet.startswith(b"430") and json.loads(packet[3:])[0].get("ok"):
            viewer.join()
        else:
            raise Disorder(packet[:200].decode())


def _rest(data: bytes, at: int) -> tuple[int, bytes] | None:
    return (len(data), data[at:]) if at < len(data) else None


def _chunk(data: bytes, at: int) -> tuple[int, bytes] | None:
    """Returns the end and the content of the HTTP chunk at that offset; None while it is incomplete."""
    line = data.find(b"\r\n", at)
    if line < 0:
        return None
    size = int(data[at:line], 16)
    end = line + 2 + size + 2
    if end > len(data):
        return None
    if size == 0:
        raise Disorder("the server ended the response")
    return end, data[line + 2 : end - 2]


def _frame(data: bytes, at: int) -> tuple[int, int, bytes] | None:
    """Returns the end, the opcode and the payload of the server's WebSocket frame at that offset."""
    if len(data) < at + 2:
        return None
    size, start = data[at + 1], at + 2
    if size == 126:
        size, start = int.from_bytes(data[at + 2 : at + 4]), at + 4
    elif size == 127:
        size, start = int.from_bytes(data[at + 2 : at + 10]), at + 10
    end = start + size
    return (end, data[at] & 15, data[start:end]) if len(data) >= end and start <= len(data) else None


def _masked(payload: bytes, opcode: int = 1) -> bytes:
    """Returns a client's frame. Its mask is zero, so the payload is unchanged."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload
