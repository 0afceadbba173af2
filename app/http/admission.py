"""Admits a limited number of greenlets at a time, in the order of their arrival."""

from __future__ import annotations

import threading
from collections import deque


class AdmissionQueue:
    """A context manager that admits ``at_once`` callers; the others wait in the order of their arrival.

    A semaphore wakes a waiting caller, which then finds that a newcomer has taken its place: of a thousand clients that
    connected at once, some waited for a second although each took three milliseconds.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = self._free = at_once
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def admitted(self) -> int:
        return self._at_once - self._free

    def __enter__(self) -> None:
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                return
            admitted = threading.Event()
            self._waiting.append(admitted)
        try:
            admitted.wait()
        except BaseException:  # a waiting greenlet may be killed
            with self._lock:
                still_waiting = admitted in self._waiting
                if still_waiting:
                    self._waiting.remove(admitted)
            if not still_waiting:
                self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        """Hands the place to the next caller: a place is never free while a caller waits."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
