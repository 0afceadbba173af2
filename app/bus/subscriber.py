"""A handler and its backlog: for each stream a cursor, and the events themselves while memory allows."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.errors.survived import survived
from app.stream.event import Event, memory
from app.stream.store import Store

logger = logging.getLogger("taskroom.bus")

Handler = Callable[[dict[str, Any]], Any]

KEPT_BYTES = 1_000_000  # of events that wait for a handler; further ones are read from Postgres
PAGE_EVENTS = 500
RETRY_SECONDS = 1.0


@dataclass(slots=True)
class Backlog:
    """The waiting events of one stream. ``events`` is None when they must be read from Postgres."""

    cursor: int
    upto: int
    events: list[Event] | None


class Subscriber:
    """Calls the handler with ``shape(event)``, one event at a time, in a thread that runs while events wait.

    ``types`` selects event types and may change at any time; empty selects all.
    """

    def __init__(self, handler: Handler, shape: Callable[[Event], dict[str, Any]], store: Store) -> None:
        self.types: set[str] = set()
        self._handler, self._shape, self._store = handler, shape, store
        self._waiting: dict[str, Backlog] = {}  # in the order in which the streams began to wait
        self._bytes = 0
        self._lock = threading.Lock()
        self.busy = self._closed = False

    def take(self, event: Event) -> None:
        """Adds the event to the backlog; never blocks."""
        with self._lock:
            backlog = self._waiting.get(event.stream)
            if backlog is None:
                backlog = Backlog(event.sequence - 1, event.sequence, [])
            backlog.upto = event.sequence
            if backlog.events is not None:
                self._bytes += memory(event)
                backlog.events.append(event)
                if self._bytes > KEPT_BYTES:
                    self._drop_events(backlog)
            self._enqueue(event.stream, backlog)

    def missed(self, stream: str, cursor: int, upto: int) -> None:
        """Adds a range that must be read from Postgres: after ``cursor``, up to and including ``upto``."""
        with self._lock:
            backlog = self._waiting.get(stream) or Backlog(cursor, upto, None)
            backlog.upto = upto
            self._drop_events(backlog)
            self._enqueue(stream, backlog)

    def close(self) -> None:
        """Ends the subscription: the handler gets no further calls. A running call may continue."""
        with self._lock:
            self._closed = True
            self._waiting.clear()

    def _enqueue(self, stream: str, backlog: Backlog) -> None:
        if self._closed:
            return
        self._waiting[stream] = backlog
        if not self.busy:
            threading.Thread(target=self._run, name="taskroom-handler", daemon=True).start()
            self.busy = True

    def _drop_events(self, backlog: Backlog) -> None:
        self._bytes -= sum(map(memory, backlog.events or ()))
        backlog.events = None

    def _run(self) -> None:
        while True:
            with self._lock:
                stream = next(iter(self._waiting), None)
                if stream is None:
                    self.busy = False
                    return
                backlog = self._waiting.pop(stream)
                self._bytes -= sum(map(memory, backlog.events or ()))
            for event in backlog.events if backlog.events is not None else self._read(stream, backlog):
                if self._closed:
                    break
                if not self.types or event.type in self.types:
                    self._call(event)

    def _read(self, stream: str, backlog: Backlog) -> Iterator[Event]:
        cursor = backlog.cursor
        while cursor < backlog.upto and not self._closed:
            limit = min(PAGE_EVENTS, backlog.upto - cursor)
            try:
                page = self._store.after(stream, cursor, limit)
                after = page[-1].sequence if page else self._pruned_to(stream, cursor, backlog.upto)
            except Exception as error:  # the thread must survive: no other code reads these events
                survived(logger, error, "reading %s for a handler fails, a retry follows", stream)
                time.sleep(RETRY_SECONDS)
                continue
            yield from page
            cursor = after

    def _pruned_to(self, stream: str, cursor: int, upto: int) -> int:
        head = self._store.heads([stream]).get(stream)
        after = head.pruned_to if head is not None and head.pruned_to > cursor else upto
        logger.warning("%s was pruned from %d to %d before a handler received it", stream, cursor + 1, after)
        return after

    def _call(self, event: Event) -> None:
        try:
            result = self._handler(self._shape(event))
            if inspect.isawaitable(result):
                asyncio.run_coroutine_threadsafe(_awaited(result), _loop()).result()
        # The next event and other handlers must not be affected. BaseException: a timeout of eventlet and a cancelled
        # future are no Exception, and would end the thread and with it the backlog.
        except BaseException:
            name = getattr(self._handler, "__qualname__", repr(self._handler))
            logger.exception("the handler %s failed for %s %d", name, event.stream, event.sequence)


def finish(subscribers: Iterable[Subscriber], limit: float) -> None:
    """Waits until the handlers have received all waiting events, or until the monotonic time ``limit``."""
    while any(each.busy for each in list(subscribers)) and time.monotonic() < limit:
        time.sleep(0.01)


async def _awaited(result: Awaitable[Any]) -> None:
    try:
        await result
    except (SystemExit, KeyboardInterrupt) as error:  # these would end the loop of all handlers
        raise RuntimeError(f"the handler tried to end the process: {error!r}") from None


_running_loop: asyncio.AbstractEventLoop | None = None
_loop_lock = threading.Lock()


def _loop() -> asyncio.AbstractEventLoop:
    """Returns the event loop that all handlers of this process share, so that a client that they keep open stays
    usable. In a web process its thread is a greenlet."""
    global _running_loop
    with _loop_lock:
        if _running_loop is None:
            _running_loop = asyncio.new_event_loop()
            run = _running_loop.run_forever
            threading.Thread(target=run, name="taskroom-coroutines", daemon=True).start()
        return _running_loop


def reset() -> None:
    """Drops the loop in a forked child: it runs only in the parent."""
    global _running_loop, _loop_lock
    _running_loop, _loop_lock = None, threading.Lock()
