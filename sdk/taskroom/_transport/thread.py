"""The thread of a client: how it is started, woken and ended, and what those do who report faster than it encodes."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any

from taskroom._transport.availability import Availability
from taskroom._transport.backlog import Backlog
from taskroom._transport.batches import Batch
from taskroom._transport.connection import Connection
from taskroom._transport.delivery import Delivery
from taskroom._transport.notices import Notices
from taskroom._transport.outbox import Outbox
from taskroom._transport.sender import Sender
from taskroom._transport.settings import Settings
from taskroom._transport.spool import Spool

NAME = "taskroom-sender"
JOIN_SECONDS = 0.2  # longer only while it connects
HELP_SECONDS, HELP_TRIES = 0.005, 100  # of a wait while another thread encodes
IMPATIENT_SECONDS = 5.0  # after a wait in which nothing was encoded


class SendingThread:
    """A daemon thread with a connection of its own, which starts with the first ``wake``. After ``stop`` it may still
    wait for an answer, while another one sends what comes later."""

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        spool: Spool,
        availability: Availability,
        heard: Callable[[Batch, dict[str, Any]], None],
        notices: Notices,
        clock: Callable[[], float],
        starts: bool,
    ) -> None:
        self._outbox, self._starts = outbox, starts
        self._connection = Connection(settings, clock)
        self._backlog = Backlog(spool, notices)
        delivery = Delivery(self._connection.post, availability, heard, notices, settings.url)
        self.sender = Sender(settings.limits, outbox, self._backlog, delivery, availability, notices, clock)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._helps_from = float("-inf")
        outbox.buffer.call(1, 1)

    @property
    def is_sending(self) -> bool:
        """Whether it sends while the caller waits; not when the caller is a callback, which it waits for itself."""
        thread = self._thread
        return thread is not None and thread.is_alive() and thread is not threading.current_thread()

    def wake(self) -> None:
        """Starts the thread where there is none. Waits at most for a thread that encodes, when the buffer is full."""
        if self._thread is None:
            self._start()
        self.sender.wake()
        if self._outbox.buffer.is_full:
            self._help()

    def stop(self) -> None:
        """Ends the thread, with its connection, and what it sends of other processes."""
        self.sender.stopped = True
        self.sender.wake()
        if self._thread is None:
            self._connection.close()
        elif self._thread is not threading.current_thread():
            self._thread.join(JOIN_SECONDS)

    def forget(self) -> None:
        """In a forked child: closes what is the parent's, which goes on with it."""
        self._connection.close()
        self._backlog.release()

    def _start(self) -> None:
        if not self._starts or not self._starting.acquire(blocking=False):
            return
        thread = threading.Thread(target=self._run, name=NAME, daemon=True)
        try:
            # Not in the context of the task that happens to be the first: what the thread logs is no line of it.
            contextvars.Context().run(thread.start)
        except RuntimeError:  # no threads left, or the interpreter ends: close() writes to the spool
            self._starting.release()
        else:
            self._thread = thread

    def _run(self) -> None:
        try:
            self.sender.run()
        finally:
            self._connection.close()

    def _help(self) -> None:
        """Encodes a batch, or lets the thread do it: what comes faster than it is encoded would be dropped."""
        buffer, lock = self._outbox.buffer, self._outbox.lock
        before, patient = len(buffer.entries), time.monotonic() >= self._helps_from
        for _ in range(HELP_TRIES if patient else 1):
            if lock.acquire(timeout=HELP_SECONDS if patient else 0.0):
                try:
                    self._outbox.seal_one()
                finally:
                    lock.release()
            if not buffer.is_full:
                return
        if (
            len(buffer.entries) >= before
        ):  # the disk hangs, or this is a signal handler in the midst of a flush
            self._helps_from = time.monotonic() + IMPATIENT_SECONDS
