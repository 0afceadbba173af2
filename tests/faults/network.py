"""A bad network between viewers and server: it slices and delays the bytes, and resets connections."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.threads import joined

LIFETIMES = (0.5, 4.0)  # seconds until a connection is reset
PAUSES = (0.0, 0.02)  # before each slice
HOLD_CHANCE, HOLD_SECONDS = 0.01, 1.0
SLICES = 4  # of each read, at random places, so also within an event
_RESET = struct.pack("ii", 1, 0)


class BadNetwork:
    """A proxy from ``url`` to a port of the loopback. ``resets`` counts the connections that it reset."""

    def __init__(self, port: int, seed: int) -> None:
        self.resets = 0
        self._to = port
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._over: asyncio.Event
        self._thread = threading.Thread(
            target=lambda: self._loop.run_until_complete(self._serve()), daemon=True
        )
        self._started = threading.Event()
        self._thread.start()
        self._started.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        joined(self._thread)
        self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._accept, sock=self._listener)
        self._started.set()
        await self._over.wait()
        server.close()
        while self._tasks:  # also those that were accepted meanwhile
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(
            lambda _: _reset(writer)
        )  # one that was cancelled before it began has closed nothing

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:  # nginx is down
            _reset(writer)
            return
        except asyncio.CancelledError:  # close() was called
            _reset(writer)
            raise
        done: set[asyncio.Future[None]] = set()
        ways = [asyncio.ensure_future(way) for way in (_pass(reader, back), self._slice(there, writer))]
        try:
            done, _ = await asyncio.wait(
                ways, timeout=self._random.uniform(*LIFETIMES), return_when=asyncio.FIRST_COMPLETED
            )
            self.resets += not done
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            # A close by the server becomes a close: a reset could overtake its last bytes.
            if done:
                writer.close()
            else:
                _reset(writer)
            _reset(back)
            await asyncio.gather(writer.wait_closed(), back.wait_closed(), return_exceptions=True)

    async def _slice(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries bytes to the viewer, in slices with pauses."""
        while data := await reader.read(65536):
            cuts = sorted(self._random.randrange(len(data) + 1) for _ in range(SLICES - 1))
            for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
                held = self._random.random() < HOLD_CHANCE
                await asyncio.sleep(HOLD_SECONDS if held else self._random.uniform(*PAUSES))
                writer.write(data[start:end])
                await writer.drain()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carries bytes to the server, unchanged."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():  # the peer may have closed it already
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()


@contextmanager
def bad_network(port: int, seed: int = 0) -> Iterator[BadNetwork]:
    network = BadNetwork(port, seed)
    try:
        yield network
    finally:
        network.close()
