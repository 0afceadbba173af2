"""The embedded servers by themselves: tests start, kill and stop them without the supervisor of ``script/up``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from app.up import embedded_postgres, embedded_redis
from app.up.embedded import EmbeddedServer
from app.up.errors import UpError
from app.up.home import Home
from app.up.process import Process
from tests.support.system import System

START_SECONDS = 120.0


class Standalone(EmbeddedServer):
    """Call ``start`` from the main thread: the kernel ends the server together with the thread that started it."""

    _process: Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> str:
        """Starts the server, also after ``kill``, waits until it answers and returns its address."""
        self.prepare()
        process = self._process = Process(self.child, self.home)
        process.start()
        limit = time.monotonic() + START_SECONDS
        try:
            while not process.ready():
                if process.poll() is not None or time.monotonic() > limit:
                    raise UpError(f"{self.name} did not start; see {process.log}", process.tail())
                time.sleep(0.02)
        except BaseException:
            process.stop()
            raise
        return self.url

    def kill(self) -> None:
        """Ends the server with SIGKILL, like a crash, and waits for its end."""
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


class EmbeddedPostgres(Standalone, embedded_postgres.EmbeddedPostgres):
    """The product's Postgres."""


class EmbeddedRedis(Standalone, embedded_redis.EmbeddedRedis):
    """The product's Redis."""


@contextmanager
def embedded_system(**settings: str) -> Iterator[System]:
    """A Taskroom that shares nothing with others: a worker, a web process, Postgres and Redis of its own."""
    with tempfile.TemporaryDirectory(prefix="taskroom-") as folder:
        home = Home.open(Path(folder))
        with EmbeddedPostgres(home) as postgres, EmbeddedRedis(home) as redis:
            system = System(postgres.url, redis.url, home.log)
            system.migrate(**settings)
            with system.running(**settings):
                yield system
