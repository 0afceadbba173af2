"""One handler and what it has still to be told: a cursor for each stream, and its events while there is room."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.stream.event import Event, memory
from app.stream.store import DatabaseUnavailable, Store

logger = logging.getLogger("taskroom.bus")

Handler = Callable[[dict[str, Any]], Any]

KEPT_BYTES = 1_000_000  # of events that wait for a handler; what came beyond that is read from Postgres
PAGE_EVENTS = 500
AWAY_SECONDS = 1.0


@dataclass(slots=True)
class Backlog:
    """Of one stream. ``events`` are all that the handler wants of it, or None when they have to be read."""

    cursor: int
    upto: int
    events: list[Event] | None


class Subscriber:
    """Calls the handler with ``shape(event)``, one event at a time, in a thread that is there while there is work.

    ``types`` narrows to those types of events, and may change at any time; empty it takes all.
    """

    def __init__(self, handler: Handler, shape: Callable[[Event], dict[str, Any]], store: Store) -> None:
        self.types: set[str] = set()
        self._handler, self._shape, self._store = handler, shape, store
        self._todo: dict[str, Backlog] = {}  # in the order in which the streams began to wait
        self._bytes = 0
        self._lock = threading.Lock()
        self._running = self._closed = False

    @property
    def busy(self) -> bool:
        return self._running

    def take(self, event: Event) -> None:
        """Somebody will tell the handler; this waits for nobody."""
        with self._lock:
            backlog = self._todo.get(event.stream)
            if backlog is None:
                backlog = Backlog(event.sequence - 1, event.sequence, [])
            backlog.upto = event.sequence
            if backlog.events is not None:
                self._bytes += memory(event)
                backlog.events.append(event)
                if self._bytes > KEPT_BYTES:
                    self._let_go(backlog)
            self._wait(event.stream, backlog)

    def missed(self, stream: str, cursor: int, upto: int) -> None:
        """There is more of the stream than was heard: from after the cursor up to that sequence."""
        with self._lock:
            backlog = self._todo.get(stream) or Backlog(cursor, upto, None)
            backlog.upto = upto
            self._let_go(backlog)
            self._wait(stream, backlog)

    def close(self) -> None:
        """The handler is not called again; a call that is under way may go on."""
        with self._lock:
            self._closed = True
            self._todo.clear()

    def _wait(self, stream: str, backlog: Backlog) -> None:
        if self._closed:
            return
        self._todo[stream] = backlog
        if not self._running:
            threading.Thread(target=self._run, name="taskroom-handler", daemon=True).start()
            self._running = True

    def _let_go(self, backlog: Backlog) -> None:
        self._bytes -= sum(map(memory, backlog.events or ()))
        backlog.events = None

    def _run(self) -> None:
        while True:
            with self._lock:
                stream = next(iter(self._todo), None)
                if stream is None:
                    self._running = False
                    return
                backlog = self._todo.pop(stream)
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
            except Exception as error:  # nothing else would read it
                logger.warning(
                    "reading %s for a handler fails, for now: %s",
                    *(stream, error),
                    exc_info=not isinstance(error, DatabaseUnavailable),
                )
                time.sleep(AWAY_SECONDS)
                continue
            yield from page
            cursor = after

    def _pruned_to(self, stream: str, cursor: int, upto: int) -> int:
        head = self._store.heads([stream]).get(stream)
        after = head.pruned_to if head is not None and head.pruned_to > cursor else upto
        logger.warning("%s was pruned from %d to %d before a handler came to it", stream, cursor + 1, after)
        return after

    def _call(self, event: Event) -> None:
        try:
            answer = self._handler(self._shape(event))
            if inspect.isawaitable(answer):
                asyncio.run_coroutine_threadsafe(_awaited(answer), _loop()).result()
        # The next event may fare better, and other handlers have no part in it. Not only an Exception: a time limit of
        # eventlet's or a cancelled future is none, and would end the thread with all that waits for it.
        except BaseException:
            name = getattr(self._handler, "__qualname__", repr(self._handler))
            logger.exception("the handler %s failed for %s %d", name, event.stream, event.sequence)


def finish(subscribers: Iterable[Subscriber], limit: float) -> None:
    """Waits until their handlers have been told everything, or until that monotonic time."""
    while any(told.busy for told in list(subscribers)) and time.monotonic() < limit:
        time.sleep(0.01)


async def _awaited(answer: Awaitable[Any]) -> None:
    try:
        await answer
    except (SystemExit, KeyboardInterrupt) as error:  # these end the loop, and with it every other handler
        raise RuntimeError(f"the handler wanted to end the process: {error!r}") from None


_running_loop: asyncio.AbstractEventLoop | None = None
_making = threading.Lock()


def _loop() -> asyncio.AbstractEventLoop:
    """The one that all handlers of this process are awaited in: what they keep open, such as a client, stays good. In a
    web process its thread is a greenlet, and it waits as all others do."""
    global _running_loop
    with _making:
        if _running_loop is None:
            _running_loop = asyncio.new_event_loop()
            run = _running_loop.run_forever
            threading.Thread(target=run, name="taskroom-coroutines", daemon=True).start()
        return _running_loop


def forget() -> None:
    """In a child of a fork: the loop runs in the parent."""
    global _running_loop, _making
    _running_loop, _making = None, threading.Lock()
