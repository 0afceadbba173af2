"""The writer: a bounded buffer, a thread that commits it in batches, and publishes each batch after its commit."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence

from app.errors import TaskroomError, causes
from app.errors.causes import Cause
from app.errors.survived import survived
from app.stream import store
from app.stream.claims import UnknownWriter, claim_batch, register_writer
from app.stream.event import Draft, draft, now
from app.stream.store import Appended, Connect, Project, append
from app.stream.transaction import Transaction, Transactions

logger = logging.getLogger("taskroom.writer")

RETRY_SECONDS = (0.05, 5.0)
TICK_SECONDS = 1.0
OVERHEAD = 128  # bytes of an event beside its tail, about


class WriterClosed(TaskroomError):
    """The writer was closed, or its thread ended, before the events were durable."""


class Writer:
    """Takes drafts from any thread and stores them in the order they came.

    ``put`` returns at once unless the buffer is full; then it waits, and nothing is dropped.
    While one batch commits the next gathers, so the size of a batch follows the load by itself.
    ``stored`` is called for each batch after its commit. ``tick`` runs about once in ``tick_seconds``, in the
    writer's thread and a transaction of its own, whether or not there is anything to write. ``tick`` may renew
    leases, so a pause between tries is at most five ``tick_seconds``.
    """

    def __init__(
        self,
        connect: Connect,
        project: Project,
        publish: Callable[[Appended], None],
        *,
        stored: Callable[[Appended], None] = lambda appended: None,
        tick: Callable[[Transaction], None] | None = None,
        tick_seconds: float | None = None,
        limit_events: int = 20_000,
        limit_bytes: int = 16_000_000,
    ) -> None:
        self.id = str(uuid.uuid4())
        self._connect, self._project, self._publish = connect, project, publish
        self._stored, self._tick = stored, tick
        self._tick_seconds = TICK_SECONDS if tick_seconds is None else tick_seconds
        self._next_tick = 0.0
        self._longest_wait = min(RETRY_SECONDS[1], 5 * self._tick_seconds)
        self._limit_events, self._limit_bytes = limit_events, limit_bytes
        # Re-entrant: the garbage collector may run task code that logs while this thread holds it.
        self._lock = threading.RLock()
        self._work = threading.Condition(self._lock)  # the thread waits here for drafts
        self._space = threading.Condition(self._lock)  # tasks wait here for space, and for durability
        self._buffer: deque[Draft] = deque()
        self._bytes = 0
        self._taken_in = 0  # drafts ever put
        self._durable = 0  # of those, stored or refused for good
        self._waiting = False
        self._closing = False
        self._batch = 0
        self._thread: threading.Thread | None = None
        self.batches = self.failures = self.refused = 0  # since the start: of tries, and of events
        self.seconds = 0.0  # until batches were durable

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def put(self, item: Draft) -> None:
        """Hands over one event. WriterClosed after close()."""
        size = len(item.tail) + OVERHEAD
        with self._lock:
            while self._full() and threading.current_thread() is not self._thread:
                self._ensure_alive()
                self._space.wait(1.0)
            if self._closing:
                raise WriterClosed("the writer is closed")
            self._buffer.append(item)
            self._bytes += size
            self._taken_in += 1
            if self._waiting:
                self._work.notify()
            elif self._thread is None:
                self._start()

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until all that was put so far is durable; False when ``timeout`` seconds were not enough."""
        limit = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            target = self._taken_in
            while self._durable < target:
                self._ensure_alive()
                if limit is not None and time.monotonic() >= limit:
                    return False
                self._space.wait(0.5)
        return True

    def open(self) -> None:
        """Starts the thread now, so that ``tick`` runs before the first event."""
        with self._lock:
            if self._thread is None:
                self._start()

    def close(self, timeout: float | None = None) -> bool:
        """Flushes, then ends the thread, within ``timeout`` seconds for both. False when events were still not durable
        then."""
        limit = None if timeout is None else time.monotonic() + timeout
        flushed = self.flush(timeout) if self._thread else True
        with self._lock:
            self._closing = True
            self._work.notify()
        if self._thread:
            self._thread.join(None if limit is None else max(0.0, limit - time.monotonic()))
        return flushed

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="taskroom-writer", daemon=True)
        self._thread.start()

    def _full(self) -> bool:
        return len(self._buffer) >= self._limit_events or self._bytes >= self._limit_bytes

    def _ensure_alive(self) -> None:
        """A task must not wait for a thread that is gone."""
        if self._thread is None or not self._thread.is_alive():
            raise WriterClosed("the writer's thread has ended; its log tells why")

    def _run(self) -> None:
        while True:
            batch = self._take(max(0.0, self._next_tick - time.monotonic()))
            if batch:
                self._store(batch)
            elif self._closing:
                return
            self._tick_when_due()

    def _take(self, patience: float) -> list[Draft]:
        with self._lock:
            if not self._buffer and not self._closing:
                self._waiting = True
                self._work.wait(patience if self._tick else None)
                self._waiting = False
            batch: list[Draft] = []
            size = 0
            while self._buffer and len(batch) < store.BATCH_EVENTS and size < store.BATCH_BYTES:
                batch.append(self._buffer.popleft())
                size += len(batch[-1].tail) + OVERHEAD
            self._bytes -= size
            return batch

    def _store(self, batch: Sequence[Draft]) -> None:
        began = time.monotonic()
        parts = self._commit(batch)
        self.batches += 1
        self.seconds += time.monotonic() - began
        for part in parts:
            for use, text in (
                (self._publish, "what was stored could not be published"),  # viewers get it from Postgres
                (self._stored, "what was stored could not be reported"),
            ):
                try:
                    use(part)
                except Exception as error:  # this thread stores what is still in the buffer
                    survived(logger, error, text)
        with self._lock:
            self._durable += len(batch)
            self._space.notify_all()

    def _commit(self, batch: Sequence[Draft], marks: bool = True) -> list[Appended]:
        """Stores the batch whatever it takes: parts from a draft whose data Postgres refuses, and waits for all else.
        A bug of ours may meet any event: none is given up for it, the log and the metrics tell until it is mended."""
        wait = RETRY_SECONDS[0]
        while True:
            try:
                return [self._try(batch)]
            except UnknownWriter as error:
                # Its row is removed after a week without a batch, or a fail-over lost the newest.
                logger.warning("the writer begins anew: %s", error)
                self.id, self._batch = str(uuid.uuid4()), 0
            except Exception as error:
                if causes.of(error) is Cause.INVALID_DATA:
                    return self._split(batch, marks)
                self.failures += 1
                cause = survived(logger, error, "storing %d events failed, again in %.2f s", len(batch), wait)
                if cause is not Cause.UNAVAILABLE:  # whatever this batch waits for, its task lives
                    self._tick_when_due()
                time.sleep(wait)
                wait = min(wait * 2, self._longest_wait)

    def _split(self, batch: Sequence[Draft], marks: bool) -> list[Appended]:
        """One draft that Postgres cannot take must not cost the others."""
        logger.exception("a batch of %d events was refused", len(batch))
        if len(batch) > 1:
            half = len(batch) // 2
            return self._commit(batch[:half]) + self._commit(batch[half:])
        if not marks:  # this thread serves every later task of the process
            logger.error("the place of an event that was refused could not be marked")
            return []
        self.refused += 1
        return self._commit([_marker(batch[0])], marks=False)

    def _try(self, batch: Sequence[Draft]) -> Appended:
        with self._connect() as conn, conn.cursor() as cur:
            if self._batch == 0:
                register_writer(cur, self.id)
            is_new = claim_batch(cur, self.id, self._batch + 1)
            appended = append(cur, batch, self._project) if is_new else Appended()
        self._batch += 1
        return appended

    def _tick_when_due(self) -> None:
        if self._tick is None or time.monotonic() < self._next_tick:
            return
        self._next_tick = time.monotonic() + self._tick_seconds
        try:
            with Transactions(self._connect, self._project, self._publish)() as tx:
                self._tick(tx)
        except Exception as error:  # this thread serves every later task of the process
            survived(logger, error, "renewing the lease failed")


def _marker(refused: Draft) -> Draft:
    """Says in the stream itself that an event is missing there."""
    fields = {
        "timestamp": now(),
        "level": "ERROR",
        "message": f"An event of type {refused.type} could not be stored",
        "component": "taskroom",
        "phase": None,
    }
    return draft(refused.stream, "log", fields, attempt=refused.attempt, projected=False)
