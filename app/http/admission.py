"""Admission: a bounded number at a time, the others in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque


class Queue:
    """So many at once, the others in the order in which they came.

    The library's semaphore wakes who waits, who then finds that a newcomer was quicker: of a thousand that connect
    at once some waited for a second while each took three milliseconds.
    """

    def __init__(self, at_once: int) -> None:
        self._free, self._lock = at_once, threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self) -> None:
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                return
            turn = threading.Event()
            self._waiting.append(turn)
        try:
            turn.wait()
        except BaseException:  # whoever waits may be ended
            with self._lock:
                gone = turn in self._waiting
                if gone:
                    self._waiting.remove(turn)
            if not gone:
                self.leave()
            raise

    def leave(self) -> None:
        """The place is handed to the next one: it is never free while somebody waits."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
