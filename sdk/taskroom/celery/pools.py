"""The processes of a worker: which of them this is, and how it ends."""

from __future__ import annotations

import os
from typing import Any

from celery import signals

from taskroom.celery.receivers import connect
from taskroom.server import Client

CLOSE_SECONDS = 2.0


class Pools:
    """Follows this process. In a pool of processes ``atexit`` does not run at the end of a child; a signal comes."""

    def __init__(self, client: Client) -> None:
        self.is_child = False  # of a main process that reports how its children end
        self._client = client
        self._main_pid: int | None = None
        self._short = False  # whether a child runs one task, and ends

    def connect(self) -> None:
        connect(signals.worker_init, self._worker)
        connect(signals.worker_process_init, self._child)
        connect(signals.worker_process_shutdown, self._child_ends)
        connect(signals.worker_shutdown, self._worker_ends)

    def _worker(self, sender: Any = None, **_: Any) -> None:
        self._main_pid = os.getpid()
        self._short = getattr(sender, "max_tasks_per_child", None) == 1

    def _child(self, **_: Any) -> None:
        self.is_child = self._main_pid != os.getpid()

    def _child_ends(self, **_: Any) -> None:
        """The network would delay each task where a process runs one of them: another process sends what it leaves."""
        if self._short:
            self._client.spool_now()
        self._client.close(0.0 if self._short else CLOSE_SECONDS)

    def _worker_ends(self, **_: Any) -> None:
        self._client.close(CLOSE_SECONDS)
