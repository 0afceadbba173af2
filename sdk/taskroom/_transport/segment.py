"""One file of the spool: batches of one process, in their order, each with a checksum.

A line with the number of the format, a line of JSON that says where the batches belong, and records. A record is its
head (``RECORD``: length of the body, CRC-32 of what follows it in head and body, writer, number, events) and the body.
Who writes or reads the file holds a lock on it, which ends with the process. What reached the file outlives the
process, not a loss of power: nothing waits for the disk.
"""

from __future__ import annotations

import json
import os
import struct
import uuid
import zlib
from pathlib import Path
from typing import Any

from taskroom._transport.batches import Batch
from taskroom._transport.locks import is_current, try_lock

VERSION = 1
MAGIC = b"taskroom-spool "
RECORD = struct.Struct(">II16sQI")
CHECKED_FROM = 8  # bytes of the head: the length and the checksum itself are before
HEADER_BYTES = 4_096
LARGEST_BODY = 16_000_000
FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class UnknownFormat(Exception):
    """Another version of this package wrote the file."""


class Segment:
    """A file that this process has locked. ``head`` is its first batch that has not been sent; ``torn`` counts bytes at
    its end that are no record, as after a crash in the middle of a write."""

    def __init__(self, path: Path, fd: int, header: dict[str, Any], at: int, end: int) -> None:
        self.path, self.header = path, header
        self.torn = 0
        self.events = 0  # of the batches that were written here and not sent
        self._fd = fd
        self._at, self._end = at, end
        self._head: tuple[Batch, int] | None = None  # with the place of the next one

    @classmethod
    def create(cls, path: Path, header: dict[str, Any]) -> Segment:
        """Makes the file. Raises OSError."""
        fd = os.open(path, FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # Until it is locked another process may take the empty file for one that was left behind.
            if not try_lock(fd) or not is_current(fd, path):
                raise BlockingIOError(f"{path} is taken")
            start = MAGIC + b"%d\n" % VERSION + json.dumps(header).encode() + b"\n"
            _write(fd, start)
        except BaseException:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        return cls(path, fd, header, len(start), len(start))

    @classmethod
    def open(cls, path: Path) -> Segment | None:
        """Opens a file that its process left behind; None when a process has it, when it is gone, or another user's.
        Raises OSError, ValueError and UnknownFormat."""
        fd = os.open(path, FLAGS)
        try:
            mine = os.fstat(fd).st_uid == os.geteuid()
            if not mine or not try_lock(fd) or not is_current(fd, path):
                os.close(fd)
                return None
            size = os.fstat(fd).st_size
            start = os.pread(fd, HEADER_BYTES, 0)
            first, found, rest = start.partition(b"\n")
            if found and first != MAGIC + b"%d" % VERSION:
                raise UnknownFormat(first[:40].decode("ascii", "replace"))
            line, found, _ = rest.partition(b"\n")
            if not found:  # its process died at the first write
                segment = cls(path, fd, {}, size, size)
                segment.torn = size
                return segment
            begin = len(first) + len(line) + 2
            return cls(path, fd, json.loads(line), begin, size)
        except BaseException:
            os.close(fd)
            raise

    def append(self, batch: Batch) -> None:
        """Writes the batch. Raises OSError; the file is then as before."""
        rest = RECORD.pack(0, 0, uuid.UUID(batch.writer).bytes, batch.number, batch.events)[CHECKED_FROM:]
        sum_ = zlib.crc32(batch.body, zlib.crc32(rest))
        record = struct.pack(">II", len(batch.body), sum_) + rest + batch.body
        try:
            _write(self._fd, record)
        except OSError:
            os.ftruncate(self._fd, self._end)
            raise
        self._end += len(record)
        self.events += batch.events

    def head(self) -> Batch | None:
        """The first batch that was not sent; None at the end. Raises OSError."""
        if self._head is None and self._at < self._end:
            self._head = self._read()
            if self._head is None:
                self.torn, self._end = self._end - self._at, self._at
        return self._head and self._head[0]

    @property
    def has_more(self) -> bool:
        """Whether it has something that was not sent."""
        return self._at < self._end

    def advance(self) -> None:
        """The head was sent."""
        assert self._head is not None
        self.events -= self._head[0].events
        self._at, self._head = self._head[1], None

    def close(self) -> None:
        """Leaves the file to others. A second call does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def remove(self) -> None:
        """Deletes the file while it is still locked, so that nobody takes it in between."""
        try:
            self.path.unlink(missing_ok=True)
        finally:
            self.close()

    def _read(self) -> tuple[Batch, int] | None:
        head = os.pread(self._fd, RECORD.size, self._at)
        if len(head) < RECORD.size:
            return None
        length, sum_, writer, number, events = RECORD.unpack(head)
        body_at = self._at + RECORD.size
        if length > min(LARGEST_BODY, self._end - body_at):
            return None
        body = os.pread(self._fd, length, body_at)
        if len(body) < length or zlib.crc32(body, zlib.crc32(head[CHECKED_FROM:])) != sum_:
            return None
        return Batch(str(uuid.UUID(bytes=writer)), number, events, body), body_at + length


def record_size(batch: Batch) -> int:
    return RECORD.size + len(batch.body)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
