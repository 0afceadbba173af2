"""What goes from the process that passes output on to the one that reports it: pieces of output, and the end."""

from __future__ import annotations

import struct
import threading
from collections import deque
from typing import BinaryIO, NamedTuple

STDOUT, STDERR, LOST, END = b"o", b"e", b"l", b"x"

_HEAD = struct.Struct("!cdI")
_OVERHEAD = 200  # bytes of memory of a frame, beside its body


class Frame(NamedTuple):
    """``at`` is in seconds since 1970. The body of LOST is the stream's kind and how many lines of it are missing
    here; that of END is JSON."""

    kind: bytes
    at: float
    body: bytes


def encoded(frame: Frame) -> bytes:
    return _HEAD.pack(frame.kind, frame.at, len(frame.body)) + frame.body


def read(source: BinaryIO) -> Frame | None:
    """The next frame; None at the end, also in the middle of a frame."""
    head = source.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, at, length = _HEAD.unpack(head)
    body = source.read(length)
    return Frame(kind, at, body) if len(body) == length else None


class Frames:
    """A queue that never makes who puts wait: output that does not fit into ``most`` bytes is dropped, and its lines
    are counted. ``ended``: nothing more will be put."""

    def __init__(self, most: int) -> None:
        self.ended = False
        self._most, self._bytes = most, 0
        self._frames: deque[Frame] = deque()
        self._lost: dict[bytes, int] = {}
        self._changed = threading.Condition()

    def put(self, frame: Frame) -> None:
        with self._changed:
            if frame.kind == LOST:
                kind, count = frame.body[:1], int(frame.body[1:])
                self._lost[kind] = self._lost.get(kind, 0) + count
                return
            if frame.kind != END and self._bytes >= self._most:
                self._lost[frame.kind] = self._lost.get(frame.kind, 0) + frame.body.count(b"\n")
                return
            for kind, count in self._lost.items():
                self._append(Frame(LOST, frame.at, kind + b"%d" % count))
            self._lost.clear()
            self._append(frame)
            self._changed.notify()

    def close(self) -> None:
        """Nothing more will be put."""
        with self._changed:
            self.ended = True
            self._changed.notify()

    def get(self, timeout: float | None = None) -> Frame | None:
        """The next frame. None when there is none within ``timeout`` seconds, and after the last one."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self.ended, timeout)
            if not self._frames:
                return None
            frame = self._frames.popleft()
            self._bytes -= len(frame.body) + _OVERHEAD
            return frame

    def _append(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._bytes += len(frame.body) + _OVERHEAD
