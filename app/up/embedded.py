"""What the embedded servers share: an address that stays, start, kill, stop."""

from __future__ import annotations

import os
import socket
import time
from random import SystemRandom
from types import TracebackType
from typing import Self

from app.up.errors import UpError
from app.up.home import Home
from app.up.process import Child, Process

START_SECONDS = 60.0
DEFAULT_PORTS = "20000-31999"

_given: set[int] = set()  # not bound yet, perhaps


class EmbeddedServer:
    """One server in ``home``, at a port that stays the same for the life of this object.

    Call ``start`` from the main thread: the kernel ends the server with the thread that started it.
    """

    name: str
    url: str

    def __init__(self, home: Home) -> None:
        self.home = home
        self.port = free_port()
        self._process: Process | None = None

    def prepare(self) -> None:
        """Makes the data folder ready for its first start. Raises UpError when it is not usable."""
        raise NotImplementedError

    @property
    def child(self) -> Child:
        """How the server is run, for whoever watches it."""
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> str:
        """Starts (or starts again after ``kill``), waits until it answers and returns the address."""
        self.prepare()
        process = self._process = Process(self.child, self.home)
        process.start()
        limit = time.monotonic() + START_SECONDS
        try:
            while not process.ready():
                if process.poll() is not None or time.monotonic() > limit:
                    log = self.home.log / f"{self.name}.log"
                    raise UpError(f"{self.name} did not start; see {log}", process.tail())
                time.sleep(0.02)
        except BaseException:
            process.stop()
            raise
        return self.url

    def kill(self) -> None:
        """Ends it as a crash would, and waits until it is gone."""
        if self._process:
            self._process.kill()

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def ports() -> range:
    """From which ports are taken: ``EMBEDDED_PORTS``, as ``20000-31999``.

    They lie below the range from which the kernel takes outgoing ones: any client could take one of those while its
    server is down, and it could never start again. Raises UpError where the setting cannot be read.
    """
    text = os.environ.get("EMBEDDED_PORTS") or DEFAULT_PORTS
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1024 <= int(first) <= int(last) <= 65_535):
        raise UpError(f"EMBEDDED_PORTS is {text!r}; set two ports from 1024 to 65535, as {DEFAULT_PORTS}")
    return range(int(first), int(last) + 1)


def free_port() -> int:
    """A port of the loopback that is free now and that this process was not given before.

    Chosen by the system's randomness: two processes whose generators were seeded alike would else want the same ports.
    """
    among = ports()
    for port in SystemRandom().sample(among, len(among)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in _given:
                _given.add(port)
                return port
    raise UpError(f"no free port from {among[0]} to {among[-1]} on 127.0.0.1; end what holds them")
