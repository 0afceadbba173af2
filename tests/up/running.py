"""A supervisor as its operator sees it: lines, pid files, exit code."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.up import survivors
from app.up.embedded import free_port
from app.up.settings import CHECKOUT

LIMIT = 120.0  # far more than it takes: only what never comes is to fail, also on a busy machine


T = TypeVar("T")


def eventually(what: Callable[[], T], seconds: float = LIMIT) -> T:
    """The first true answer; fails when there is none in time."""
    limit = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < limit, f"not so within {seconds} s"
        time.sleep(0.02)
    return answer


class Running:
    def __init__(self, home: Path, module: str = "tests.up.standin", **env: str) -> None:
        self.home = home
        self.port = int(env.get("PORT", 0)) or free_port()
        self.lines: list[str] = []
        self.closing = False  # set: its output is closed after the next line
        self._queue: queue.Queue[str] = queue.Queue()
        inherited = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "HOST")}
        self.process = subprocess.Popen(
            (sys.executable, "-m", module),
            cwd=CHECKOUT,
            env=inherited
            | {"TASKROOM_HOME": str(home), "TASKROOM_DEMO_RUN": "0", "PORT": str(self.port)}
            | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout:
            for line in self.process.stdout:
                self._queue.put(line.rstrip("\n"))
                if self.closing:
                    return

    def wait_for(self, text: str) -> str:
        """The next line that holds ``text``."""
        limit = time.monotonic() + LIMIT
        while True:
            try:
                line = self._queue.get(timeout=max(0.0, limit - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line with {text!r}; seen: {self.lines}") from None
            self.lines.append(line)
            if text in line:
                return line

    def pid(self, name: str) -> int:
        return int((self.home / "run" / f"{name}.pid").read_text())

    def crash(self, name: str) -> None:
        """Kills a child as a fault would and waits until another one has its place."""
        old = self.pid(name)
        os.kill(old, signal.SIGKILL)
        eventually(lambda: self.pid(name) != old)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        return code

    def output(self) -> str:
        """All lines of one that ends by itself."""
        self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        while not self._queue.empty():
            self.lines.append(self._queue.get())
        return "\n".join(self.lines)

    def left(self) -> list[survivors.Found]:
        return survivors.leftovers(self.home.resolve())
