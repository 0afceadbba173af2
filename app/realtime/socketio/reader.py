"""Reads the messages of one client's WebSocket, RFC 6455, with limits of their size, their pieces and their rate.

eventlet's own reader limits single frames only, keeps every piece of a message as an object, and lets no other greenlet
run while there is something to read: a client that sends one byte a frame would occupy a whole process.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from app import green
from app.realtime.socketio.token_bucket import TokenBucket

MESSAGE_LIMIT = 100_000  # bytes of one message from a client: it sends ids and tokens
PIECES = 64  # frames of one message; clients send one, proxies seldom more
UNAUTHENTICATED_BYTES = 16_384  # of all messages before a client has signed in: a token has 8,192 at most
FRAMES, FRAMES_PER_SECOND = 400, 100.0  # of every kind, pings too: twice the limit of packets
BYTES, BYTES_PER_SECOND = 1_000_000, 256_000.0
READ = 16_384
UNTIL_PAUSE = 32_768  # bytes after which other greenlets run
FRAME_COST = 256  # bytes that a frame counts for besides
CLOSE_SECONDS = 1.0  # to send a close to a client that reads nothing

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL, PROTOCOL_ERROR, NOT_TEXT, POLICY, TOO_LARGE = 1000, 1002, 1007, 1008, 1009


class Guard(Protocol):
    """Knows the clients."""

    def unauthenticated(self, session_id: str) -> bool:
        """Whether it has not signed in."""

    def refused(self, session_id: str, why: str) -> None:
        """Counts and logs a client that is closed for what it sent."""


class MessageRefused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Reader:
    """``ws`` is eventlet's, of which this uses ``socket``, ``extensions``, ``send`` and ``close``."""

    def __init__(self, ws: Any, session_id: str, guard: Guard, sleep: Callable[[float], Any]) -> None:
        self._ws, self._session_id, self._guard, self._sleep = ws, session_id, guard, sleep
        self._buffer = bytearray()
        self._frames, self._bytes = (
            TokenBucket(FRAMES, FRAMES_PER_SECOND),
            TokenBucket(BYTES, BYTES_PER_SECOND),
        )
        self._unauthenticated_bytes = 0
        self._since_pause = 0
        self._deflate: dict[str, Any] | None = ws.extensions.get("permessage-deflate")
        self._inflate: Any = None

    def wait(self) -> str | bytes | None:
        """Waits for the next message; None when there will be none: the client has closed, or was refused."""
        try:
            return self._message()
        except MessageRefused as error:
            self._guard.refused(self._session_id, str(error))
            self.close(error.status)
        except OSError:  # the client is gone, or sent nothing for too long
            pass
        return None

    def close(self, status: int) -> None:
        with contextlib.suppress(OSError), green.limit(CLOSE_SECONDS, TimeoutError()):
            self._ws.close(close_data=(status, ""))
        with contextlib.suppress(OSError):  # it was closed already
            self._ws.socket.shutdown(socket.SHUT_RDWR)

    def _message(self) -> str | bytes | None:
        opcode, message, pieces, packed = CONTINUATION, bytearray(), 0, False
        while True:
            first, data = self._frame(MESSAGE_LIMIT - len(message))
            kind = first & 0x0F
            if kind >= CLOSE:
                if kind == CLOSE:
                    self.close(_status(data))
                    return None
                if kind == PING:
                    self._ws.send(data, control_code=PONG)
                continue
            if (kind == CONTINUATION) is (pieces == 0):
                raise MessageRefused(
                    PROTOCOL_ERROR, "sends pieces of no message, or another message in the middle of one"
                )
            if not pieces:
                opcode, packed = kind, bool(first & 0x40)
            pieces += 1
            if pieces > PIECES:
                raise MessageRefused(POLICY, f"sends a message in more than {PIECES} pieces")
            message += data
            if first & 0x80:
                return self._whole(opcode, bytes(message), packed)

    def _whole(self, opcode: int, data: bytes, packed: bool) -> str | bytes:
        if packed:
            data = self._inflated(data)
        if opcode == BINARY:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise MessageRefused(NOT_TEXT, "sends a text that is not UTF-8") from None

    def _frame(self, limit: int) -> tuple[int, bytes]:
        """Reads the next frame; returns its first byte and its payload."""
        self._pause(self._frames.take(), FRAME_COST)
        first, second = self._take(2)
        kind, size = first & 0x0F, second & 0x7F
        if kind not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG) or not second & 0x80:
            raise MessageRefused(PROTOCOL_ERROR, "sends frames of no kind, or unmasked")
        if first & 0x70 and (first & 0x70 != 0x40 or kind not in (TEXT, BINARY) or self._deflate is None):
            raise MessageRefused(PROTOCOL_ERROR, "uses an extension that was not agreed")
        if kind >= CLOSE and (size > 125 or not first & 0x80):
            raise MessageRefused(PROTOCOL_ERROR, "sends a control frame that is too large, or in pieces")
        if size > 125:
            (size,) = struct.unpack("!H" if size == 126 else "!Q", self._take(2 if size == 126 else 8))
        if size > limit and kind < CLOSE:
            raise MessageRefused(TOO_LARGE, f"sends a message of more than {MESSAGE_LIMIT} bytes")
        mask = self._take(4)
        return first, unmasked(self._take(size), mask)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            data = self._ws.socket.recv(READ)
            if not data:
                raise ConnectionError
            self._buffer += data
            if self._guard.unauthenticated(self._session_id):
                self._unauthenticated_bytes += len(data)
                if self._unauthenticated_bytes > UNAUTHENTICATED_BYTES:
                    raise MessageRefused(
                        POLICY, f"sends more than {UNAUTHENTICATED_BYTES} bytes before it signs in"
                    )
            else:
                self._unauthenticated_bytes = 0
            self._pause(self._bytes.take(len(data)), len(data))
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _pause(self, wait: float, cost: int) -> None:
        """Lets other greenlets run, also when there is always something to read."""
        self._since_pause += cost
        if wait or self._since_pause > UNTIL_PAUSE:
            self._since_pause = 0
            self._sleep(wait)

    def _inflated(self, data: bytes) -> bytes:
        assert self._deflate is not None
        if self._inflate is None or self._deflate.get("client_no_context_takeover"):
            self._inflate = zlib.decompressobj(
                -int(self._deflate.get("client_max_window_bits", zlib.MAX_WBITS))
            )
        try:
            found: bytes = self._inflate.decompress(data + b"\x00\x00\xff\xff", MESSAGE_LIMIT)
        except zlib.error:
            raise MessageRefused(NOT_TEXT, "sends what cannot be decompressed") from None
        if self._inflate.unconsumed_tail:
            raise MessageRefused(TOO_LARGE, f"sends a message of more than {MESSAGE_LIMIT} bytes")
        return found


def unmasked(data: bytes, mask: bytes) -> bytes:
    size = len(data)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


def _status(data: bytes) -> int:
    """Returns the status that a close is answered with."""
    if not data:
        return NORMAL
    status = int.from_bytes(data[:2], "big") if len(data) > 1 else 0
    return status if 1000 <= status < 5000 and status not in (1004, 1005, 1006, 1015) else PROTOCOL_ERROR
