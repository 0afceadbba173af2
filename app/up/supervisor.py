"""Starts children in order, restarts what dies, stops all in the opposite order."""

from __future__ import annotations

import itertools
import os
import select
import signal
import time
from collections.abc import Callable
from types import FrameType

from app.up.errors import UpError
from app.up.home import Home
from app.up.process import Child, Process

BACKOFF_FIRST = 0.2
BACKOFF_LAST = 10.0
STEADY_SECONDS = 30.0  # after so long a life the next death is a first one again
SETTLED_SECONDS = 3.0
DEATHS_AT_START = 3
START_SECONDS = 90.0
GLANCE_SECONDS = 0.05  # how often readiness is looked at
LOGS_SECONDS = 5.0  # how often it is looked whether a log is long


class Stopped(Exception):
    """The operator asked for the end."""


class _Kept:
    """A process that shall run, and when it may be started again."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.deaths = 0
        self.backoff = BACKOFF_FIRST
        self.started = 0.0
        self.due: float | None = 0.0  # None while it runs
        self._was_ready = False

    def is_ready(self) -> bool:
        """One that died before has to live a while first: at a glance it may just not have failed yet."""
        if self.due is not None or (self.deaths and time.monotonic() - self.started < SETTLED_SECONDS):
            self._was_ready = False
        elif not self._was_ready:
            self._was_ready = self.process.ready()
        return self._was_ready


class Supervisor:
    """For the main thread only: it takes the signals, and children die with the thread that starts them."""

    def __init__(self, home: Home, say: Callable[[str], None]) -> None:
        self._home = home
        self._say = say
        self._kept: list[_Kept] = []
        self._stopping = self._told_of_logs = False
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup stays nohup
                signal.signal(number, self._ask_to_stop)
        signal.signal(
            signal.SIGCHLD, lambda _number, _frame: None
        )  # wakes the loop: a death is noticed at once

    def start(self, *children: Child) -> None:
        """Starts them together; ``run`` and ``wait_until_ready`` carry on from there."""
        self._kept += [_Kept(Process(child, self._home)) for child in children]
        self._tick()

    def wait_until_ready(self) -> None:
        """Returns when all that were started are ready. Raises UpError when one does not stay up."""
        limit = time.monotonic() + START_SECONDS
        while True:
            self._tick()
            for kept in self._kept:
                name = kept.process.child.name
                log = self._home.log / f"{name}.log"
                if kept.deaths >= DEATHS_AT_START:
                    raise UpError(f"{name} does not stay up; the reason is in {log}", kept.process.tail())
                if time.monotonic() > limit:
                    raise UpError(
                        f"{name} is not ready after {START_SECONDS:.0f} s; see {log}", kept.process.tail()
                    )
            if all(kept.is_ready() for kept in self._kept):
                return
            self._wait(GLANCE_SECONDS)

    def run(self, step: Child) -> None:
        """Runs one command to its end. Raises UpError unless it succeeds."""
        process = Process(step, self._home)
        process.start()
        try:
            while (code := process.poll()) is None:
                self._tick()
                self._wait(1.0)
        finally:
            process.stop()
        if code != 0:
            raise UpError(f"{step.name} failed; see {self._home.log / step.name}.log", process.tail())

    def watch(self) -> None:
        """Keeps all alive until a signal ends it by Stopped."""
        while True:
            self._tick()
            self._shorten_logs()
            due = [kept.due - time.monotonic() for kept in self._kept if kept.due is not None]
            self._wait(max(0.0, min([LOGS_SECONDS, *due])))

    def stop(self) -> None:
        """Ends all, the last started first, and waits for each. Signals meanwhile change nothing."""
        last_first = [kept.process for kept in reversed(self._kept)]
        for _, group in itertools.groupby(last_first, key=lambda p: p.child.group or p.child.name):
            together = list(group)
            for process in together:
                process.ask_to_stop()
            for process in together:
                process.stop()
        self._kept.clear()

    def _tick(self) -> None:
        if self._stopping:
            raise Stopped
        for kept in self._kept:
            if kept.due is None and (code := kept.process.poll()) is not None:
                self._bury(kept, code)
            if kept.due is not None and kept.due <= time.monotonic():
                self._raise(kept)

    def _shorten_logs(self) -> None:
        for kept in self._kept:
            try:
                kept.process.shorten_log()
            except OSError as error:
                if not self._told_of_logs:
                    self._told_of_logs = True
                    self._say(f"the log of {kept.process.child.name} grows: {error}")

    def _bury(self, kept: _Kept, code: int) -> None:
        now = time.monotonic()
        if now - kept.started > STEADY_SECONDS:
            kept.deaths, kept.backoff = 0, BACKOFF_FIRST
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        name = kept.process.child.name
        self._say(f"{name} died ({how}), starts again in {kept.backoff:g} s; see {self._home.log / name}.log")
        self._postpone(kept, now)

    def _raise(self, kept: _Kept) -> None:
        try:
            kept.process.start()
        except UpError as error:
            if kept.deaths == 0 and kept.started == 0.0:
                raise  # nothing to come back to: it never ran
            self._say(f"{error}; tries again in {kept.backoff:g} s")
            self._postpone(kept, time.monotonic())
            return
        kept.started, kept.due = time.monotonic(), None
        if kept.deaths:
            self._say(f"{kept.process.child.name} runs again, pid {kept.process.pid}")

    def _postpone(self, kept: _Kept, now: float) -> None:
        kept.deaths += 1
        kept.due = now + kept.backoff
        kept.backoff = min(2 * kept.backoff, BACKOFF_LAST)

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _wait(self, seconds: float) -> None:
        """Until a signal comes or the time is over."""
        if select.select([self._wake_read], [], [], seconds)[0]:
            os.read(self._wake_read, 4096)
