"""``Child`` describes a child process; ``Process`` starts it, reads its log and ends it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.up.errors import UpError
from app.up.home import Home
from app.up.rights import child_setup, drop_rights
from app.up.survivors import TAG

TAIL_BYTES = 4000
TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Child:
    """What to run, and how to end it."""

    name: str
    command: tuple[str, ...]
    folder: Path
    env: Mapping[str, str] = field(repr=False, default_factory=dict)
    ready: Callable[[Process], bool] = lambda _: True
    before_start: Callable[[], None] = lambda: None
    # Each signal with the seconds to wait for the end; SIGKILL is last.
    stop_signals: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 10.0),)
    group: str = ""  # adjacent children of one group receive their first signal at the same time
    parent_death_signal: signal.Signals = signal.SIGTERM
    user_namespace: bool = False
    drops_rights: bool = False  # those of root
    has_pid_file: bool = True


class Process:
    """A child and its present operating-system process, if there is one."""

    def __init__(self, child: Child, home: Home) -> None:
        self.child = child
        self.home = home
        self.log = home.log / f"{child.name}.log"
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._stop_requested = False

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    def start(self) -> None:
        """Raises UpError when the command cannot be executed."""
        child = self.child
        child.before_start()
        self._stop_requested = False
        with self.home.log_file(child.name).open("ab") as output:
            self._log_start = output.tell()
            try:
                self._popen = subprocess.Popen(
                    (*(drop_rights() if child.drops_rights else ()), *child.command),
                    cwd=child.folder,
                    env={**child.env, TAG: str(self.home.root)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # or Ctrl-C would reach all children at once instead of in order
                    preexec_fn=child_setup(child.parent_death_signal, child.user_namespace),
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise UpError(f"{child.name} cannot be started: {child.command[0]}: {error}") from error
        if child.has_pid_file:
            self.home.write_pid(child.name, self._popen.pid)

    def poll(self) -> int | None:
        """Returns the exit code (negative for a signal), or None while the process runs."""
        code = self._popen.poll() if self._popen else None
        if code is not None:
            self._end_group()
        return code

    def ready(self) -> bool:
        return self.child.ready(self)

    def request_stop(self) -> None:
        """Sends the first stop signal, once; does nothing when the process is not running."""
        if self._popen is not None and not self._stop_requested and self._popen.poll() is None:
            self._stop_requested = True
            self._popen.send_signal(self.child.stop_signals[0][0])

    def stop(self) -> None:
        """Sends the stop signals, SIGKILL last, and waits for the end; does nothing when the process is not running."""
        self.request_stop()
        for index, (number, seconds) in enumerate((*self.child.stop_signals, (signal.SIGKILL, 10.0))):
            if self._popen is None or self._popen.poll() is not None:
                break
            if index:  # request_stop has sent the first
                self._popen.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(seconds)
        self._end_group()
        if self.child.has_pid_file:
            self.home.remove_pid(self.child.name)

    def kill(self) -> None:
        """Sends SIGKILL, like a crash, and waits for the end."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
            self._end_group()

    def rotate_log(self) -> None:
        """Rotates the log when it is long. Raises OSError."""
        if self.home.rotate_log(self.child.name):
            self._log_start = 0

    def log_since_start(self) -> bytes:
        return self._log_from(self._log_start)

    def tail(self) -> str:
        """Returns the last lines of the log since the start."""
        start = max(self._log_start, self.log.stat().st_size - TAIL_BYTES)
        return "\n".join(self._log_from(start).decode(errors="replace").splitlines()[-TAIL_LINES:])

    def _log_from(self, position: int) -> bytes:
        with self.log.open("rb") as log:
            log.seek(position)
            return log.read()

    def _end_group(self) -> None:
        """Kills the rest of the process group: the pool of a killed worker would go on beside the new worker."""
        if self._popen is not None:
            with suppress(ProcessLookupError):  # the group is empty, the usual case
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen = None  # the kernel may give its pid to another process from now on
