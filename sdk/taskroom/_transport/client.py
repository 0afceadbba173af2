"""What the rest of the package reports to: it takes what is said at once, and a thread of this process sends it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from taskroom._transport import detached, forking
from taskroom._transport.availability import Availability
from taskroom._transport.batches import Batch
from taskroom._transport.beats import QUEUES, SCHEDULES, WORKERS
from taskroom._transport.buffer import ends_attempt
from taskroom._transport.listeners import Listeners, OnCancel, OnResend, named, reason
from taskroom._transport.notices import Notices
from taskroom._transport.outbox import Outbox
from taskroom._transport.settings import Settings
from taskroom._transport.spool import Spool
from taskroom._transport.tasks import Tasks
from taskroom._transport.thread import SendingThread
from taskroom.limits import LINE_LIMIT, MOMENT_SECONDS
from taskroom.stderr import say
from taskroom.texts import cut

CLOSE_SECONDS = 2.0
LOCK_SECONDS = 0.2  # others hold it for the disk at most


class Client:
    """Reports to one server with one key. What is said waits for no network, raises nothing, and may be said in signal
    handlers. An event must not be changed once it was given.

    After a fork parent and child have each a thread and a connection of their own, and the parent sends what was said
    before. When the process ends what is not sent is in the spool.
    """

    def __init__(
        self,
        *,
        url: str | None = None,
        key: str | None = None,
        spool: str | os.PathLike[str] | None = None,
        settings: Settings | None = None,
        clock: Callable[[], float] = time.monotonic,
        starts: bool = True,
    ) -> None:
        """What is not given is read from TASKROOM_URL, TASKROOM_KEY and TASKROOM_SPOOL. Without ``starts`` there is no
        thread. Raises ValueError for what cannot be used."""
        self._settings = settings = settings or Settings.of(url, key, spool)
        self.url = settings.url
        self.refused: str | None = None  # why the server did not take what was said of a task, the last time
        self._clock, self._starts = clock, starts
        self._lingers, self._left = False, 0  # ``_left``: events that this process has left in the spool
        self._notices = Notices(clock)
        self._listeners = Listeners()
        self._availability = Availability(settings.limits, clock)
        self._spool = Spool(settings, self._notices)
        self._outbox = Outbox(settings.limits, self._spool, Tasks(), self._availability, clock)
        self._buffer = self._outbox.buffer
        self._thread = self._make_thread()
        forking.follow(self)

    @classmethod
    def from_env(cls) -> Client:
        """The client that the environment describes. Raises ValueError when it does not; nothing raises later."""
        return cls()

    def task(self, task_id: str, attempt: str | None, **fields: Any) -> None:
        """Says what the server should know of a task: job_type, title, params, parent_id, group_id, root_id, owner,
        queue, worker, created_at, lease_seconds, can_retry, ahead. With an attempt it begins in this process, which
        then keeps it alive until its end is reported."""
        self._listeners.begins(task_id, attempt)
        self._put(task_id, attempt, None, fields)

    def begin(
        self, task_id: str, attempt: str, on_cancel: OnCancel, event: dict[str, Any], **fields: Any
    ) -> None:
        """``on_cancel``, ``task`` and ``event`` in one, for the beginning of an attempt."""
        self._listeners.on_cancel(task_id, on_cancel, attempt)
        self._put(task_id, attempt, event, fields)

    def event(self, task_id: str, attempt: str | None, event: dict[str, Any]) -> None:
        """Reports an event of a task: its ``type``, and the fields of this type."""
        message = event.get("message")
        if message.__class__ is str and len(message) > LINE_LIMIT:
            event = {**event, "message": cut(message, LINE_LIMIT)}
        elif message is None and ends_attempt(event):
            self._listeners.ended(task_id)
        if self._buffer.put((task_id, attempt, event, None, time.time())):
            self._thread.wake()

    def _put(
        self, task_id: str, attempt: str | None, event: dict[str, Any] | None, fields: dict[str, Any]
    ) -> None:
        said = {name: value for name, value in fields.items() if value is not None}
        if self._buffer.put((task_id, attempt, event, said, time.time())):
            self._thread.wake()

    def worker(self, fields: dict[str, Any]) -> None:
        """Says how a worker is: its name, host, pid, pool, slots, queues, running task ids."""
        self._outbox.beats.add(WORKERS, fields)
        self._thread.wake()

    def queue(self, fields: dict[str, Any]) -> None:
        """Says how a queue is: its name, depth, oldest_wait_seconds."""
        self._outbox.beats.add(QUEUES, fields)
        self._thread.wake()

    def schedule(self, fields: dict[str, Any]) -> None:
        """Says what beat knows of an entry: name, job_type, schedule, when it was sent last and is sent next."""
        self._outbox.beats.add(SCHEDULES, fields)
        self._thread.wake()

    def on_cancel(self, task_id: str, callback: OnCancel) -> None:
        """Calls ``callback`` in the thread that sends, with "cancelled" when somebody has cancelled the task, or with
        "superseded" when the attempt is over because another has begun or the task has ended."""
        self._listeners.on_cancel(task_id, callback)

    def on_resend(self, callback: OnResend) -> None:
        """Calls ``callback`` in the thread that sends, with the id of each task that should be started again."""
        self._listeners.on_resend(callback)

    def linger(self) -> None:
        """From now on nothing waits longer than a moment for the server, and what this process leaves in the spool at
        its end another one sends; where none does, a line on stderr says so."""
        self._lingers = True

    def page(self, task_id: str) -> str:
        """The address of the task's page."""
        return self._listeners.page(task_id) or f"{self.url}/runs/{task_id}"

    def flush(self, timeout: float, patience: float | None = None) -> bool:
        """Waits until the server has stored all that was said until now, at most ``timeout`` seconds; what it has not
        by then, or when it has not answered for ``patience`` seconds, goes to the spool. False when something is in
        neither: only where the spool does not take it is the whole ``timeout`` waited for a slow server."""
        began = time.monotonic()
        deadline = began + timeout
        latest = deadline - min(timeout / 4, 0.25)  # for the disk
        outbox = self._outbox
        if not outbox.lock.acquire(timeout=max(LOCK_SECONDS, timeout)):
            return False
        try:
            lost = outbox.lost
            outbox.seal()
            wanted = outbox.added
            if outbox.safe < wanted:
                self._thread.wake()
            while outbox.safe < wanted:
                now, spill_at = time.monotonic(), self._spill_at(latest, began, patience)
                late = now + self._availability.wait() >= spill_at
                # One failure may be a moment's; a server that is away must not slow the end of each task.
                gone = self._availability.failures > 1 or not self._thread.is_sending
                if (late or gone) and outbox.spill():
                    break
                if now >= deadline:
                    break
                outbox.progressed.wait((spill_at if now < spill_at else deadline) - now)
            return outbox.safe >= wanted and outbox.lost == lost
        finally:
            outbox.lock.release()

    def _spill_at(self, latest: float, began: float, patience: float | None) -> float:
        """When a flush waits no longer for the server. One that is slow already is not waited for anew."""
        if patience is None and self._lingers:
            patience = MOMENT_SECONDS
        if patience is None:
            return latest
        asked_at = self._thread.sender.asked_at
        return min(latest, (began if asked_at is None else min(began, asked_at)) + patience)

    def drain(self, timeout: float) -> bool:
        """Waits up to ``timeout`` seconds until the server has stored all, also the spool. False when it has not."""
        deadline = time.monotonic() + timeout
        outbox = self._outbox
        with outbox.lock:
            while not outbox.is_empty:
                left = deadline - time.monotonic()
                if left <= 0 or self._availability.failures or not self._thread.is_sending:
                    return False
                outbox.progressed.wait(left)
        return True

    def spool_now(self) -> None:
        """Writes what is not sent to the spool, without the network."""
        with self._outbox.lock:
            self._outbox.seal()
            self._outbox.spill()

    def keep(self) -> None:
        """Writes what is not sent to the spool while the server is away, for a process that may be killed."""
        if self._availability.failures:
            with self._outbox.lock:
                self._outbox.keep()

    def may_follow(self) -> bool:
        """Whether what other processes have said before may arrive after what is said now."""
        return self._availability.failures > 0 or self._spool.has_files()

    def close(self, timeout: float = CLOSE_SECONDS) -> bool:
        """Flushes, ends the thread and leaves the spool to other processes. What is said later is sent as before."""
        if self._lingers and not detached.outlives():
            self.drain(timeout)
        flushed = self.flush(timeout)
        self._thread.stop()
        with self._outbox.lock:
            self._left += self._outbox.leave_file()
        self._thread = self._make_thread()
        return flushed

    def hand_over(self) -> None:
        """At the end of a process that lingers: lets another one send what is left, or says how much that is."""
        if not self._lingers or not (self._left or self._spool.has_left_behind()):
            return
        if not self._availability.failures and detached.start(self._settings) and detached.outlives():
            return
        if self._left:
            where = f"{self._settings.spool} for Taskroom at {self.url}"
            say(f"{self._left:,} events wait in {where}; {self.remedy}")

    @property
    def remedy(self) -> str:
        """What sends the events that are left, as things are."""
        return self._availability.remedy

    def in_child(self) -> None:
        """Begins anew in a forked child, with nothing to send."""
        self._left = 0
        self._thread.forget()
        self._outbox = self._outbox.in_child()
        self._buffer = self._outbox.buffer
        self._thread = self._make_thread()

    def _make_thread(self) -> SendingThread:
        shared = (self._settings, self._outbox, self._spool, self._availability)
        return SendingThread(*shared, self._heard, self._notices, self._clock, self._starts)

    def _heard(self, batch: Batch, answer: dict[str, Any]) -> None:
        refused = self._listeners.heard(batch, answer)
        with self._outbox.lock:
            for task_id in refused:
                self._outbox.tasks.refused(task_id)
        for task_id, row in refused.items():
            self.refused = reason(row)
            if row.get("status") != 409:
                self._notices.warn(f"Taskroom at {self.url} refuses task {task_id}: {self.refused}")
        for kind, names in named(answer, "not_stored").items():
            self._notices.warn(
                f"Taskroom at {self.url} has no room for {len(names)} {kind} more, such as {names[0]}"
            )
