"""Runs a supervisor and gives the tests what its operator sees: lines, pid files, exit code."""

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

LIMIT = 120.0  # seconds; a busy machine needs long, and a test must fail only for what never happens


T = TypeVar("T")


def eventually(check: Callable[[], T], seconds: float = LIMIT) -> T:
    """Calls ``check`` until its result is true and returns it; fails after ``seconds``."""
    limit, pause = time.monotonic() + seconds, 0.02
    while not (result := check()):
        assert time.monotonic() < limit, f"not true within {seconds} s"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    return result


class Running:
    def __init__(self, home: Path, module: str = "tests.up.standin", **env: str) -> None:
        self.home = home
        self.port = int(env.get("PORT", 0)) or free_port()
        self.lines: list[str] = []
        self.closing = False  # True closes the output after the next line
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
        """Waits for the next line that contains ``text`` and returns it."""
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
        """Kills a child with SIGKILL and waits until the supervisor has started another process."""
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
        """Waits for a supervisor that ends by itself and returns all lines."""
        self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        while not self._queue.empty():
            self.lines.append(self._queue.get())
        return "\n".join(self.lines)

    def survivors(self) -> list[survivors.FoundProcess]:
        return survivors.processes_of(self.home.resolve())
