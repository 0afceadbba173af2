"""One call for all threads that ask for the same at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from app.stream.store import DatabaseUnavailable

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """``flight(key, function)`` runs the function unless a thread is running it for that key, and shares the result.

    The result may have been read before the caller asked: a caller that needs a newer one asks again.
    """

    def __init__(self) -> None:
        self._in_flight: dict[Hashable, Future[Result]] = {}
        self._lock = threading.Lock()

    def __call__(self, key: Hashable, function: Callable[[], Result]) -> Result:
        with self._lock:
            flight = self._in_flight.get(key)
            leads = flight is None
            if flight is None:
                flight = self._in_flight[key] = Future()
        if leads:
            try:
                result = function()
            except BaseException as error:
                self._finish(key)
                # The thread that ran it was killed: the others may ask again.
                gone = DatabaseUnavailable("the thread that asked has gone")
                flight.set_exception(error if isinstance(error, Exception) else gone)
                if not isinstance(error, Exception):
                    raise
            else:
                self._finish(key)
                flight.set_result(result)
        failure = flight.exception()
        if failure is not None:
            raise failure.with_traceback(None)  # shared by all threads: each would add its own frames
        return flight.result()

    def _finish(self, key: Hashable) -> None:
        """Called before the result is shared: a thread that asks after that gets a newer one."""
        with self._lock:
            del self._in_flight[key]
