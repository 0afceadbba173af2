"""The thread that sends: what it does in a turn, and how long it rests before the next."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from contextlib import suppress

from taskroom._transport.availability import Availability
from taskroom._transport.backlog import Backlog
from taskroom._transport.batches import Batch
from taskroom._transport.delivery import Delivery, Outcome
from taskroom._transport.notices import Notices
from taskroom._transport.outbox import Outbox
from taskroom._transport.settings import Limits

SMALLEST_BATCH = 32_000  # bytes of JSON, however small the server wants them
REST_SECONDS = 1.0  # after a fault of this package


class Stopped(Exception):
    """Nobody waits for the answer any more. If the batch was stored, its repeat from the spool will be known."""


class Sender:
    """``run`` is for one thread, and ``turn`` what it does again and again. ``wake`` may be called by any thread, also
    by a signal handler."""

    def __init__(
        self,
        limits: Limits,
        outbox: Outbox,
        backlog: Backlog,
        delivery: Delivery,
        availability: Availability,
        notices: Notices,
        clock: Callable[[], float],
    ) -> None:
        self.stopped = False
        self.asked_at: float | None = None  # when the answer that is awaited was asked for, by time.monotonic
        self._limits, self._outbox, self._backlog = limits, outbox, backlog
        self._delivery, self._availability, self._notices = delivery, availability, notices
        self._clock = clock
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()  # its put is safe in a signal handler
        self._since: float | None = None  # when the first entry that waits was seen
        self._keep_at: float | None = None  # when what waits goes to the spool
        self._next_look = float("-inf")  # for what others left

    def run(self) -> None:
        """Turn after turn, until ``stopped``."""
        while not self.stopped:
            self._silence()
            try:
                wait = self.turn()
            except Stopped:
                break
            except Exception as error:  # no task may lose its reports by a fault in here
                self._notices.warn(f"sending failed: {type(error).__name__}: {error}")
                wait = REST_SECONDS
            if wait > 0:
                self._rest(wait)
        self._backlog.release()

    def wake(self) -> None:
        """Ends the rest. For now those who fill the buffer need not call again."""
        self._outbox.buffer.call_when_full()
        self._bell.put(None)

    def turn(self) -> float:
        """Sends one batch at most. Returns the seconds until the next turn is due."""
        outbox, away = self._outbox, self._availability.wait()
        with outbox.lock:
            if away > 0:
                return self._pause()
            for task_id, attempt in outbox.tasks.due(self._clock()):
                outbox.buffer.put((task_id, attempt, None, None, time.time()))
            if self._due() <= 0:
                outbox.seal()
                outbox.seal_beats()
                self._since = None
            due = self._due()
        if self._clock() >= self._next_look:
            batch = self._backlog.head()
            if batch is not None:  # it is older than what this process has
                return self._send_left(batch)
            self._next_look = self._clock() + self._limits.look_seconds
        batch = self._head()
        if batch is not None:
            return self._send(batch)
        return max(0.0, min(due, self._next_look - self._clock()))

    def _pause(self) -> float:
        """Seconds until there is something to do, while the server is away; else 0."""
        away = self._availability.wait()
        return min(away, self._keep()) if away > 0 else 0.0

    def _keep(self) -> float:
        """Writes what waits to the spool from time to time: a process that is killed loses what is in memory. Returns
        the seconds until then."""
        outbox = self._outbox
        outbox.seal(partly=False)
        if outbox.is_kept:
            self._keep_at = None
            return float("inf")
        if self._keep_at is None:
            self._keep_at = self._clock() + self._limits.keep_seconds
        left = self._keep_at - self._clock()
        if left > 0:
            return left
        self._keep_at = self._since = None
        outbox.keep()
        return self._limits.keep_seconds

    def _send_left(self, batch: Batch) -> float:
        if self._deliver(batch) is Outcome.LATER:
            self._backlog.release()
        else:
            self._backlog.settle()
        with self._outbox.lock:
            return self._pause()

    def _send(self, batch: Batch) -> float:
        outcome = self._deliver(batch)
        outbox = self._outbox
        with outbox.lock:
            if outcome is not Outcome.LATER:
                outbox.settle(batch, outcome is Outcome.STORED)
            if self._delivery.is_void(outbox.writer):
                outbox.renew_writer()
            if self._delivery.most_bytes is not None:
                outbox.batch_bytes = max(SMALLEST_BATCH, min(outbox.batch_bytes, self._delivery.most_bytes))
            outbox.progressed.notify_all()
            return self._pause()

    def _deliver(self, batch: Batch) -> Outcome:
        self.asked_at = time.monotonic()
        try:
            outcome = self._delivery.deliver(batch, self._meanwhile)
        finally:
            self.asked_at = None
        if outcome is not Outcome.LATER:
            self._keep_at = None
        return outcome

    def _head(self) -> Batch | None:
        with self._outbox.lock:
            try:
                return self._outbox.head()
            except OSError as error:
                self._notices.warn(f"a file of the spool cannot be read, and is left to others: {error}")
                self._outbox.leave_file()
                return None

    def _due(self) -> float:
        """Seconds until what waits has to be sent."""
        if not self._outbox.waiting and not self._outbox.beats:
            self._since = None
            return self._outbox.tasks.next_due() - self._clock()
        if self._outbox.has_batch:
            return 0.0
        if self._since is None:
            self._since = self._clock()
        return self._since + self._limits.gather_seconds - self._clock()

    def _meanwhile(self) -> None:
        """While an answer is awaited the buffer must not overflow; one that does not come in time may never come.
        Raises Stopped."""
        if self.stopped:
            raise Stopped
        with self._outbox.lock:
            self._keep()

    def _rest(self, seconds: float) -> None:
        """Waits until ``wake``, at most ``seconds``."""
        outbox = self._outbox
        gathering = outbox.waiting > 0
        if gathering:
            outbox.buffer.call(self._limits.batch_events, outbox.batch_bytes)
        else:
            outbox.buffer.call(1, 1)
        ready = outbox.has_batch if gathering else outbox.waiting > 0  # since the turn
        if not ready and not self.stopped:
            with suppress(queue.Empty):
                self._bell.get(timeout=seconds)
        outbox.buffer.call_when_full()

    def _silence(self) -> None:
        """Forgets the calls until now: the turn that follows sees what they are for."""
        with suppress(queue.Empty):
            while True:
                self._bell.get_nowait()
