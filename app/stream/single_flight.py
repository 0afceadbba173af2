"""One call for a crowd: what several threads ask for at the same moment is asked by one of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from app.stream.store import StoreAway

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """``once(key, function)`` runs the function unless somebody is running it for that key, and shares what comes.

    The result may have been read before the caller came: whoever needs it newer asks again.
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
                # Whoever asked was ended: the others may ask again.
                gone = StoreAway("the one who asked has gone")
                flight.set_exception(error if isinstance(error, Exception) else gone)
                if not isinstance(error, Exception):
                    raise
            else:
                self._finish(key)
                flight.set_result(result)
        failure = flight.exception()
        if failure is not None:
            raise failure.with_traceback(None)  # it is everybody's: each would add its own frames to it
        return flight.result()

    def _finish(self, key: Hashable) -> None:
        """Before the answer is given: whoever asks after it gets a newer one."""
        with self._lock:
            del self._in_flight[key]
