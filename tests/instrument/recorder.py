"""A client that writes what it is given into one file, which all processes of a test share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILE = "said.jsonl"


class Recorder:
    """Each call is one line of ``FILE`` in the folder. An answer of a server is a file: ``cancel-ID`` is heard with the
    next report of the task or the next heartbeat of its worker, ``resend-ID`` with the next heartbeat of any."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._cancels: dict[str, Callable[[str], object]] = {}
        self._resend: Callable[[str], object] = print

    def task(self, task_id: str, attempt: str | None, **fields: Any) -> None:
        self._write("task", task_id=task_id, attempt=attempt, fields=fields)
        self._hear(task_id)

    def begin(
        self,
        task_id: str,
        attempt: str,
        on_cancel: Callable[[str], object],
        event: dict[str, Any],
        **fields: Any,
    ) -> None:
        self.on_cancel(task_id, on_cancel)
        self.task(task_id, attempt, **fields)
        self.event(task_id, attempt, event)

    def event(self, task_id: str, attempt: str | None, event: dict[str, Any]) -> None:
        self._write("event", task_id=task_id, attempt=attempt, event=event)
        self._hear(task_id)

    def worker(self, fields: dict[str, Any]) -> None:
        self._write("worker", fields=fields)
        for task_id in (*fields["running"], *fields["waiting"]):
            self._hear(task_id)
        for path in self._folder.glob("resend-*"):
            try:
                if path.read_text() not in ("", str(os.getpid())):
                    continue  # another worker is to hear it
                path.unlink()
            except FileNotFoundError:  # another worker was first
                continue
            self._resend(path.name.removeprefix("resend-"))

    def queue(self, fields: dict[str, Any]) -> None:
        self._write("queue", fields=fields)

    def schedule(self, fields: dict[str, Any]) -> None:
        self._write("schedule", fields=fields)

    def on_cancel(self, task_id: str, callback: Callable[[str], object]) -> None:
        self._cancels[task_id] = callback
        self._hear(task_id)

    def on_resend(self, callback: Callable[[str], object]) -> None:
        self._resend = callback

    def linger(self) -> None:
        """Nothing is left."""

    def page(self, task_id: str) -> str:
        return f"https://rooms.example/runs/{task_id}"

    def flush(self, timeout: float, patience: float | None = None) -> bool:
        self._write("flush", timeout=timeout, patience=patience)
        return True

    def spool_now(self) -> None:
        self._write("spool_now")

    def keep(self) -> None:
        """Nothing is only in memory."""

    def may_follow(self) -> bool:
        return False

    def close(self, timeout: float) -> bool:
        self._write("close", timeout=timeout)
        return True

    def _hear(self, task_id: str) -> None:
        path = self._folder / f"cancel-{task_id}"
        if task_id in self._cancels and path.exists():
            self._cancels[task_id](path.read_text())
            self._write("heard", task_id=task_id)

    def _write(self, kind: str, **said: Any) -> None:
        line = json.dumps({"kind": kind, "pid": os.getpid(), **said}, default=repr)
        os.write(self._file, line.encode() + b"\n")
