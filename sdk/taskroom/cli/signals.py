"""The signals of this process as a queue, each with whether the terminal sent it."""

from __future__ import annotations

import os
import queue
import select
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

OF_TERMINAL = frozenset((signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGWINCH, signal.SIGHUP))

LONGEST_WAIT = 86_400.0  # seconds; then the condition is asked again


class Received(NamedTuple):
    """A signal that the terminal sent has reached each process of the group that runs in it."""

    number: int
    from_terminal: bool


class Signals:
    """Within the block the signals come to ``wait`` only, which the main thread calls. What the process was started to
    ignore it goes on ignoring."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = {number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN}
        self._numbers.add(signal.SIGCHLD)
        self._pid = os.getpid()
        self.mask: set[Any] = set()  # what was blocked before, for processes that are started

    def __enter__(self) -> Signals:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.mask = signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)
        return self

    def __exit__(self, *_: object) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)

    def wake(self) -> None:
        """Makes ``wait`` look again. For any thread."""
        os.kill(self._pid, signal.SIGCHLD)

    def wait(
        self,
        until: Callable[[], bool],
        take: Callable[[Received], object],
        seconds: float | None = None,
        tick: float | None = None,
    ) -> bool:
        """Waits until the condition holds, which is asked after each signal, and each ``tick`` seconds. Gives signals
        to ``take``. False after ``seconds``."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not until():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            found = self._next(left if tick is None else tick if left is None else min(left, tick))
            if found is not None and found.number != signal.SIGCHLD:
                take(found)
        return True

    def take_pending(self, take: Callable[[Received], object]) -> None:
        """Gives what has come already to ``take``, without a wait."""
        while (found := self._next(0)) is not None:
            if found.number != signal.SIGCHLD:
                take(found)

    def stop(self) -> None:
        """Stops this process as SIGTSTP does, until it is continued."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTSTP})
        os.kill(self._pid, signal.SIGTSTP)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})

    def _next(self, seconds: float | None) -> Received | None:
        info = signal.sigtimedwait(self._numbers, LONGEST_WAIT if seconds is None else seconds)
        return info and Received(info.si_signo, info.si_code > 0)  # who sends by kill has 0 or less


class HandledSignals(Signals):
    """The same by handlers, for systems without sigtimedwait, as macOS. They do not tell who sent a signal."""

    def __enter__(self) -> Signals:
        self._queue: queue.SimpleQueue[Received] = queue.SimpleQueue()  # its put is safe in a handler
        # The kernel may give a signal to another thread, and the main thread has to be woken for its handler.
        self._woken, self._waker = os.pipe()
        for fd in (self._woken, self._waker):
            os.set_blocking(fd, False)
        self._before = {number: signal.signal(number, self._handle) for number in self._numbers}
        self._waker_before = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        self.mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._waker_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._woken)
        os.close(self._waker)

    def stop(self) -> None:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(self._pid, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._handle)

    def _handle(self, number: int, _: object) -> None:
        self._queue.put(Received(number, number in OF_TERMINAL and _runs_in_terminal()))

    def _next(self, seconds: float | None) -> Received | None:
        if self._queue.empty():
            select.select([self._woken], [], [], seconds)
            with suppress(BlockingIOError):
                os.read(self._woken, 4096)
        with suppress(queue.Empty):
            return self._queue.get_nowait()
        return None


def _runs_in_terminal() -> bool:
    """Whether the keys of a terminal reach this process."""
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(fd)


SIGNALS = Signals if hasattr(signal, "sigtimedwait") else HandledSignals
