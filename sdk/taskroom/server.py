"""Which Taskroom the runs of this process report to."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable
from typing import Any, Protocol

logger = logging.getLogger("taskroom")

URL, KEY = "TASKROOM_URL", "TASKROOM_KEY"
RUN = "TASKROOM_RUN"  # what ``taskroom run`` tells its command


class Client(Protocol):
    """Sends what it is given, in its order, and never makes the caller wait. After a fork the child sends too."""

    def task(self, task_id: str, attempt: str | None, **fields: Any) -> None:
        """Takes what the server should know of a task. It is kept alive until the end of this attempt is reported."""

    def begin(
        self,
        task_id: str,
        attempt: str,
        on_cancel: Callable[[str], object],
        event: dict[str, Any],
        **fields: Any,
    ) -> None:
        """``on_cancel``, ``task`` and ``event`` in one, for the beginning of an attempt."""

    def event(self, task_id: str, attempt: str | None, event: dict[str, Any]) -> None:
        """Takes an event of a task."""

    def on_cancel(self, task_id: str, callback: Callable[[str], object]) -> None:
        """Calls ``callback`` with "cancelled" or "superseded" when the task should stop. To be said before its
        beginning."""

    def on_resend(self, callback: Callable[[str], object]) -> None:
        """Calls ``callback`` with the id of each task that should be started again."""

    def worker(self, fields: dict[str, Any]) -> None:
        """Takes how a worker is: its name, host, pid, pool, slots, queues, running task ids."""

    def queue(self, fields: dict[str, Any]) -> None:
        """Takes how a queue is: its name, depth, oldest_wait_seconds."""

    def schedule(self, fields: dict[str, Any]) -> None:
        """Takes what beat says of an entry: its name, job_type, schedule, last_run_at, last_task_id, last_error,
        next_run_at."""

    def linger(self) -> None:
        """Lets another process send what this one has not sent at its end, and no wait for the server be long."""

    def page(self, task_id: str) -> str:
        """Returns the address of the task's page."""

    def flush(self, timeout: float, patience: float | None = None) -> bool:
        """Waits until the server or the disk has all, at most ``timeout`` seconds, and for the server no longer than
        ``patience``."""

    def spool_now(self) -> None:
        """Writes what is not sent to the disk, without the network."""

    def keep(self) -> None:
        """Writes what is not sent to the disk when the server is away."""

    def may_follow(self) -> bool:
        """Whether what other processes have said before may arrive after what is said now."""

    def close(self, timeout: float) -> bool:
        """Flushes, and ends the thread that sends. What is said later is sent as before."""


_clients: dict[tuple[str, str], Client] = {}
_warned = False


def client_of(url: str | None, key: str | None) -> Client | None:
    """The client for this server, or for that of the environment. None when there is none, which is said once in a
    process. Raises ValueError for a ``url`` or ``key`` that cannot be used."""
    from_env = url is None and key is None
    url, key = url or os.environ.get(URL), key or os.environ.get(KEY)
    if not url or not key:
        _warn(f"set {URL} and {KEY}, or pass url= and key=")
        return None
    try:
        if (url, key) not in _clients:
            _clients[url, key] = connect(url, key)
        return _clients[url, key]
    except ValueError as error:  # a program is not ended by its environment's name of a server
        if not from_env:
            raise
        _warn(str(error))
        return None


def outer_run() -> str | None:
    """The id of the run whose command has started this process, by its environment; None outside of one."""
    try:
        return str(uuid.UUID(os.environ.get(RUN)))
    except (TypeError, ValueError):
        return None


def connect(url: str, key: str) -> Client:
    """A new client. It connects to the server when there is something to send."""
    from taskroom._transport import Client as HttpClient

    client: Client = HttpClient(url=url, key=key)
    return client


def _warn(why: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        logger.warning("runs are reported nowhere: %s", why)
