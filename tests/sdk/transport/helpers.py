"""What the tests of the transport share: a clock, turns of the sending thread, lines, programs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from taskroom._transport import Client
from tests.sdk.transport.server import KEY, PATIENCE

SDK = Path(__file__).resolve().parents[3] / "sdk"


class Clock:
    """A clock that stands still unless the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Reporter:
    """A client without a thread: ``turns`` does what its thread would do."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.client, self.clock = client, clock

    def begin(self, task_id: str, attempt: str = "a1", **fields: Any) -> None:
        self.client.task(task_id, attempt, **{"job_type": "train", **fields})

    def log(self, task_id: str, *messages: str, attempt: str = "a1") -> None:
        for message in messages:
            self.client.event(task_id, attempt, line(message))

    def end(self, task_id: str, attempt: str = "a1", status: str = "SUCCESS") -> None:
        self.client.event(task_id, attempt, {"type": "task_status", "status": status})

    def turns(self) -> float:
        """Makes turns until the next one is not due. Returns the seconds until it is."""
        for _ in range(10_000):
            wait = self.client._thread.sender.turn()
            if wait > 0:
                return wait
        raise AssertionError("turns without an end")

    def after(self, seconds: float) -> float:
        """The turns that are due now, and those once so many seconds have passed."""
        self.turns()
        self.clock.now += seconds
        return self.turns()

    def all(self) -> None:
        """Gives the server all the time that it wants."""
        for _ in range(100):
            self.after(60.0)
            if not self.client._outbox.waiting and self.client._outbox.head() is None:
                return
        raise AssertionError("the server did not take all")


def line(message: str) -> dict[str, Any]:
    return {"type": "log", "level": "INFO", "message": message, "component": None, "phase": None}


def numbered(count: int, first: int = 0) -> list[str]:
    return [f"line {n}" for n in range(first, first + count)]


@contextmanager
def program(
    code: str,
    url: str,
    spool: Path | str,
    before: str = "",
    close_seconds: float = PATIENCE,
    **more: str,
) -> Iterator[subprocess.Popen[str]]:
    """Runs Python code that may use ``client``, ``line``, ``os`` and ``sys``; ``before`` runs before all imports."""
    start = "import os, sys\nfrom taskroom._transport import Client, forking\nclient = Client.from_env()\n"
    start += f"forking.CLOSE_SECONDS = {close_seconds}\n"
    start += "def line(m): return {'type': 'log', 'level': 'INFO', 'message': m, 'component': None, 'phase': None}\n"
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "PYTHONPATH": str(SDK),
        "TASKROOM_URL": url,
        "TASKROOM_KEY": KEY,
        "TASKROOM_SPOOL": str(spool),
        **more,
    }
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [
        sys.executable,
        "-W",
        "error::ResourceWarning",
        "-W",
        "ignore:This process:DeprecationWarning",
        "-c",
        before + start + code,
    ]
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """The next line that the program prints."""
    assert process.stdout
    return process.stdout.readline()


def go_on(process: subprocess.Popen[str]) -> None:
    """Gives the program the line that it waits for."""
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The exit status of the program and what else it printed, once it has ended."""
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def ran(code: str, url: str, spool: Path | str, **more: Any) -> str:
    """Runs such a program to its end and returns what it printed."""
    with program(code, url, spool, **more) as process:
        status, out, err = ended(process)
    assert status == 0, err
    return out
