"""The load client: thousands of viewers in one thread, and the time of each delivery.

Raw sockets and epoll; a block of events costs one ``recv`` and one comparison, however many events are in it.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from bench.canon import Disorder
from bench.rooms import Room

IN_FLIGHT = 64
PORTS = 20_000  # connections from one loopback address, well below the kernel's number of ports
BLOCK = 1 << 18
CHECK_NS = 20_000_000
_RESET = struct.pack("ii", 1, 0)  # a close without TIME_WAIT, because the ports are needed again


class Viewer:
    """A connection to a room, at ``sequence``. ``offset`` is its position in the canon, or -1 while it is parsed."""

    __slots__ = (
        *("room", "number", "sequence", "first", "resumes", "offset", "pending", "text", "stage", "chunked"),
        *("comments", "started_at", "joined_at", "socket", "fault", "receive_buffer"),
    )

    def __init__(self, room: Room, number: int, receive_buffer: int = 0) -> None:
        self.room, self.number, self.receive_buffer = room, number, receive_buffer
        self.sequence = self.first = room.first
        self.resumes = False
        self.comments = 0
        self.fault = ""
        self.reset()

    def reset(self) -> None:
        self.offset, self.pending, self.text, self.stage, self.chunked = -1, b"", b"", 0, False
        self.started_at = self.joined_at = 0
        self.socket: socket.socket | None = None

    def join(self) -> None:
        if not self.joined_at:
            self.joined_at = time.monotonic_ns()
            if not self.resumes:
                self.first = self.sequence

    def send(self, data: bytes) -> None:
        assert self.socket
        if self.socket.send(data) != len(data):
            raise Disorder("a few bytes did not fit into an empty send buffer")


class Load:
    """All viewers of a run. A record has each advance of a viewer: the time, the viewer, the new sequence."""

    def __init__(self) -> None:
        self.viewers: list[Viewer] = []
        self.when, self.who, self.upto = array("q"), array("q"), array("q")
        self.received = 0
        self._epoll = select.epoll()
        self._by_fd: dict[int, Viewer] = {}
        self._waiting: deque[tuple[int, Viewer]] = deque()
        self._opening: set[Viewer] = set()
        self._buffer = bytearray(BLOCK)
        self._view = memoryview(self._buffer)

    def add(self, rooms: Iterable[Room], *, receive_buffer: int = 0, every_ns: int = 0) -> list[Viewer]:
        """Adds a viewer for each of the rooms; ``run`` connects them, one each ``every_ns`` or all at once."""
        start = time.monotonic_ns()
        added = []
        for n, room in enumerate(rooms):
            viewer = Viewer(room, len(self.viewers), receive_buffer)
            self.viewers.append(viewer)
            self._waiting.append((start + n * every_ns, viewer))
            added.append(viewer)
        return added

    def cut(self, viewers: Iterable[Viewer]) -> None:
        """Ends the viewers' connections without a close, like a network fault."""
        for viewer in viewers:
            self._drop(viewer)

    def resume(self, viewers: Iterable[Viewer]) -> None:
        """Reconnects the viewers at their sequences."""
        for viewer in viewers:
            viewer.reset()
            viewer.resumes = True
            self._waiting.append((0, viewer))

    def stall(self, viewers: Iterable[Viewer]) -> None:
        """Stops reading from these viewers' sockets."""
        for viewer in viewers:
            if viewer.socket:
                self._epoll.unregister(viewer.socket)

    def run(self, done: Callable[[], bool], seconds: float) -> bool:
        """Reads until ``done`` is true (checked every 20 ms) or the time is over; returns whether it is done."""
        limit = time.monotonic_ns() + int(seconds * 1e9)
        check = 0
        while True:
            now = time.monotonic_ns()
            if now >= check:
                self._open(now)
                if done():
                    return True
                if now > limit:
                    return False
                check = now + CHECK_NS
            self._read(self._epoll.poll(CHECK_NS / 1e9, 512))

    def join_all(self, seconds: float = 60.0) -> float:
        """Connects the added viewers; returns the seconds until the last has joined. A viewer that cannot join has a
        fault."""
        start = time.monotonic()
        if not self.run(lambda: not self._waiting and not self._opening, seconds):
            late = [*self._opening, *(viewer for _, viewer in self._waiting)]
            self._waiting.clear()
            for viewer in late:
                self._break(viewer, f"did not join in {seconds:.0f} s")
        return time.monotonic() - start

    def reached(self, events: int, viewers: list[Viewer] | None = None) -> Callable[[], bool]:
        """Whether every viewer without a fault has so many events of its room."""
        watched = iter(self.viewers if viewers is None else viewers)
        current: Viewer | None = next(watched, None)

        def all_there() -> bool:
            nonlocal current
            # A sequence only grows, so a viewer that has enough is not checked again.
            while current is not None and (current.fault or current.sequence - current.room.first >= events):
                current = next(watched, None)
            return current is None

        return all_there

    @property
    def faults(self) -> list[str]:
        return [f"viewer {v.number} at {v.sequence}: {v.fault}" for v in self.viewers if v.fault]

    def close(self) -> None:
        self.cut(self.viewers)
        self._epoll.close()

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, ready: list[tuple[int, int]]) -> None:
        by_fd, buffer, view, clock = self._by_fd, self._buffer, self._view, time.monotonic_ns
        for fd, events in ready:
            viewer = by_fd[fd]
            if events & select.EPOLLOUT and not self._connected(viewer):
                continue
            assert viewer.socket
            try:
                size = viewer.socket.recv_into(buffer)
            except BlockingIOError:
                continue
            except OSError as error:
                self._break(viewer, str(error))
                continue
            at = clock()
            self.received += size
            offset = viewer.offset
            if size and offset >= 0:
                raw = viewer.room.raw
                if raw.bytes.startswith(view[:size], offset):
                    viewer.offset = offset + size
                    sequence, _ = raw.complete(offset + size)
                    if sequence != viewer.sequence:
                        viewer.sequence = sequence
                        self.when.append(at)
                        self.who.append(viewer.number)
                        self.upto.append(sequence)
                    continue
            self._slow(viewer, bytes(view[:size]), at)

    def _slow(self, viewer: Viewer, data: bytes, at: int) -> None:
        if not data:
            self._break(viewer, "the server closed the connection")
            return
        before = viewer.sequence
        if viewer.offset >= 0:
            # Its bytes differ from the canon: it goes back to its last complete event.
            _, end = viewer.room.raw.complete(viewer.offset)
            viewer.pending = bytes(viewer.room.raw.bytes[end : viewer.offset])
            viewer.offset = -1
        try:
            viewer.room.slow(viewer, data)
        except (Disorder, OSError, ValueError) as error:
            self._break(viewer, str(error))
            return
        if viewer.joined_at and viewer in self._opening:
            self._opening.discard(viewer)
            self._open(at)
            before = max(before, viewer.first)  # a greeting moves the cursor but delivers no event
        if viewer.sequence > before:
            self.when.append(at)
            self.who.append(viewer.number)
            self.upto.append(viewer.sequence)

    def _open(self, now: int) -> None:
        while self._waiting and self._waiting[0][0] <= now and len(self._opening) < IN_FLIGHT:
            _, viewer = self._waiting.popleft()
            connection = socket.socket()
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            if viewer.receive_buffer:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, viewer.receive_buffer)
            if viewer.number >= PORTS:
                connection.bind((f"127.0.0.{1 + viewer.number // PORTS}", 0))
            viewer.socket, viewer.started_at = connection, time.monotonic_ns()
            self._opening.add(viewer)
            self._by_fd[connection.fileno()] = viewer
            self._epoll.register(connection, select.EPOLLOUT)
            state = connection.connect_ex(viewer.room.address)
            if state not in (0, errno.EINPROGRESS):
                self._break(viewer, f"connect: {errno.errorcode[state]}")

    def _connected(self, viewer: Viewer) -> bool:
        assert viewer.socket
        state = viewer.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if state:
            self._break(viewer, f"connect: {errno.errorcode[state]}")
            return False
        viewer.send(viewer.room.hello(viewer))
        self._epoll.modify(viewer.socket, select.EPOLLIN)
        return False

    def _break(self, viewer: Viewer, why: str) -> None:
        viewer.fault = why
        self._drop(viewer)

    def _drop(self, viewer: Viewer) -> None:
        self._opening.discard(viewer)
        if viewer.socket:
            del self._by_fd[viewer.socket.fileno()]
            viewer.socket.close()
            viewer.socket = None


def copies(room: Room, count: int) -> Iterator[Room]:
    return (room for _ in range(count))
