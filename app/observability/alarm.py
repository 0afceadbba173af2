"""A periodic timer that costs nothing while it is not set."""

from __future__ import annotations

import signal
from collections.abc import Callable

from app import green

SIGNALS = {signal.SIGALRM}


class Alarm:
    """While it is set, calls ``on_ring`` every ``seconds`` in an operating-system thread.

    The thread waits for the signal of the process's timer. A thread that wakes up to look for work would take half of
    all CPU time of an idle process.
    """

    def __init__(self, seconds: float, on_ring: Callable[[], None]) -> None:
        self.is_set = False
        self._seconds, self._on_ring = seconds, on_ring
        self._stopped = False

    def start(self) -> None:
        """Call this in the main thread before other threads start: they inherit the blocked signal."""
        # An older thread may receive the signal: without a handler it would end the process.
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        green.real_threading().Thread(target=self._run, name="taskroom-alarm", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self.set()

    def set(self) -> None:
        self.is_set = True
        signal.setitimer(signal.ITIMER_REAL, self._seconds, self._seconds)

    def clear(self) -> None:
        # In this order, because another thread may call set() meanwhile: it may set the timer once too often, never too
        # seldom.
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.is_set = False

    def _run(self) -> None:
        while True:
            signal.sigwait(SIGNALS)
            if self._stopped:
                return self.clear()
            self._on_ring()
