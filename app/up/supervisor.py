"""Starts children in order, restarts those that exit, and stops all in reverse order."""

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

BACKOFF_FIRST = 0.2  # seconds before the first restart, doubled each time
BACKOFF_LAST = 10.0
BACKOFF_RESET_SECONDS = 30.0  # after so long a run the next exit counts as the first
MIN_UPTIME_SECONDS = 3.0
MAX_START_FAILURES = 3
START_SECONDS = 90.0
READY_CHECK_SECONDS = 0.05
LOG_CHECK_SECONDS = 5.0


class StopRequested(Exception):
    """A signal has asked the supervisor to stop."""


class _Supervised:
    """A process that the supervisor keeps running."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.name = process.child.name
        self.failures = 0
        self.backoff = BACKOFF_FIRST
        self.started_at = 0.0
        self.start_at: float | None = 0.0  # None while it runs
        self._was_ready = False

    def is_ready(self) -> bool:
        """Whether the process is ready. After a failure it must also run for a while: it may be about to fail again."""
        settling = self.failures and time.monotonic() - self.started_at < MIN_UPTIME_SECONDS
        if self.start_at is not None or settling:
            self._was_ready = False
        elif not self._was_ready:
            self._was_ready = self.process.ready()
        return self._was_ready

    def postpone(self) -> None:
        """Sets the time of the next start, after the present backoff, and doubles the backoff."""
        self.failures += 1
        self.start_at = time.monotonic() + self.backoff
        self.backoff = min(2 * self.backoff, BACKOFF_LAST)


class Supervisor:
    """Works in the main thread only: it handles the signals, and children end with the thread that starts them."""

    def __init__(self, home: Home, print_line: Callable[[str], None]) -> None:
        self._home = home
        self._print_line = print_line
        self._supervised: list[_Supervised] = []
        self._stop_requested = self._log_error_printed = False
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP, and that remains.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._request_stop)
        # The handler does nothing, but the signal wakes the loop: an exit is noticed at once.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def start(self, *children: Child) -> None:
        """Starts the children together. ``run``, ``wait_until_ready`` and ``watch`` restart those that exit."""
        self._supervised += [_Supervised(Process(child, self._home)) for child in children]
        self._start_due()

    def wait_until_ready(self) -> None:
        """Returns when all children are ready. Raises UpError when one exits repeatedly or takes too long."""
        limit = time.monotonic() + START_SECONDS
        while True:
            self._start_due()
            for each in self._supervised:
                log, tail = each.process.log, each.process.tail
                if each.failures >= MAX_START_FAILURES:
                    raise UpError(f"{each.name} exits again and again; the reason is in {log}", tail())
                if time.monotonic() > limit:
                    raise UpError(f"{each.name} is not ready after {START_SECONDS:.0f} s; see {log}", tail())
            if all(each.is_ready() for each in self._supervised):
                return
            self._wait(READY_CHECK_SECONDS)

    def run(self, step: Child) -> None:
        """Runs one command to its end. Raises UpError when the command fails."""
        process = Process(step, self._home)
        process.start()
        try:
            while (code := process.poll()) is None:
                self._start_due()
                self._wait(1.0)
        finally:
            process.stop()
        if code != 0:
            raise UpError(f"{step.name} failed; see {process.log}", process.tail())

    def watch(self) -> None:
        """Keeps all children running until a signal; then raises StopRequested."""
        while True:
            self._start_due()
            self._rotate_logs()
            waits = [
                each.start_at - time.monotonic() for each in self._supervised if each.start_at is not None
            ]
            self._wait(max(0.0, min([LOG_CHECK_SECONDS, *waits])))

    def stop(self) -> None:
        """Stops all children in reverse order and waits for each. Signals change nothing meanwhile."""
        reverse = [each.process for each in reversed(self._supervised)]
        for _, adjacent in itertools.groupby(reverse, key=lambda p: p.child.group or p.child.name):
            group = list(adjacent)
            for process in group:
                process.request_stop()
            for process in group:
                process.stop()
        self._supervised.clear()

    def _start_due(self) -> None:
        """Notes which children have exited and starts those whose time has come. Raises StopRequested."""
        if self._stop_requested:
            raise StopRequested
        for each in self._supervised:
            if each.start_at is None and (code := each.process.poll()) is not None:
                self._on_exit(each, code)
            if each.start_at is not None and each.start_at <= time.monotonic():
                self._start(each)

    def _on_exit(self, each: _Supervised, code: int) -> None:
        if time.monotonic() - each.started_at > BACKOFF_RESET_SECONDS:
            each.failures, each.backoff = 0, BACKOFF_FIRST
        cause = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._print_line(
            f"{each.name} exited ({cause}), restarts in {each.backoff:g} s; see {each.process.log}"
        )
        each.postpone()

    def _start(self, each: _Supervised) -> None:
        try:
            each.process.start()
        except UpError as error:
            if each.failures == 0:
                raise  # a process that has never run needs the operator
            self._print_line(f"{error}; next attempt in {each.backoff:g} s")
            each.postpone()
            return
        each.started_at, each.start_at = time.monotonic(), None
        if each.failures:
            self._print_line(f"{each.name} restarted, pid {each.process.pid}")

    def _rotate_logs(self) -> None:
        for each in self._supervised:
            try:
                each.process.rotate_log()
            except OSError as error:
                if not self._log_error_printed:
                    self._log_error_printed = True
                    self._print_line(f"the log of {each.name} cannot be rotated and grows: {error}")

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requested = True

    def _wait(self, seconds: float) -> None:
        """Waits until a signal arrives or the time is over."""
        if select.select([self._wake_read], [], [], seconds)[0]:
            os.read(self._wake_read, 4096)
