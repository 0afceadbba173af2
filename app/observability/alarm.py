"""An alarm clock that costs nothing while it is not set."""

from __future__ import annotations

import signal
from collections.abc import Callable

from app import green

SIGNALS = {signal.SIGALRM}


class Alarm:
    """Calls ``rang`` in a thread of the system's own, again and again every ``seconds`` while it is set.

    The thread waits for the process's timer: to wake up and look whether there is anything to do would cost an idle
    process half of what it takes at all.
    """

    def __init__(self, seconds: float, rang: Callable[[], None]) -> None:
        self.is_set = False
        self._seconds, self._rang = seconds, rang
        self._stopped = False

    def start(self) -> None:
        """To be called in the main thread, before others are made: they inherit what is blocked."""
        # A thread that was there before may be given the signal: without a handler that would end the process.
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
        # In this order: who sets it meanwhile, in another thread, may find it set once too often, and never too seldom.
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.is_set = False

    def _run(self) -> None:
        while True:
            signal.sigwait(SIGNALS)
            if self._stopped:
                return self.clear()
            self._rang()
