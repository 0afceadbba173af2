"""One child as data, and the process that it is at the moment."""

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
from app.up.identity import begin, shedding
from app.up.survivors import TAG

TAIL_BYTES = 4000
TAIL_LINES = 15


def _nothing() -> None:
    return None


def _at_once(_: Process) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Child:
    """What to run. ``stages``: the signals that end it, with the seconds each is given; SIGKILL is last."""

    name: str
    command: tuple[str, ...]
    folder: Path
    env: Mapping[str, str] = field(repr=False, default_factory=dict)
    ready: Callable[[Process], bool] = _at_once
    before: Callable[[], None] = _nothing  # each time it is started
    stages: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 10.0),)
    group: str = ""  # children of one group, started one after the other, are asked to end at once
    orphan_signal: signal.Signals = signal.SIGTERM
    namespace: bool = False
    sheds: bool = False  # root's rights, where root starts it
    keeps_pid_file: bool = True


class Process:
    """A started child: its pid file, its log, its end."""

    def __init__(self, child: Child, home: Home) -> None:
        self.child = child
        self.home = home
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._asked = False

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    def start(self) -> None:
        """Raises UpError when the command cannot be started at all."""
        self.child.before()
        self._asked = False
        log = self.home.log_file(self.child.name)
        with log.open("ab") as output:
            self._log_start = output.tell()
            try:
                self._popen = subprocess.Popen(
                    (*(shedding() if self.child.sheds else ()), *self.child.command),
                    cwd=self.child.folder,
                    env={**self.child.env, TAG: str(self.home.root)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # or Ctrl-C would reach all at once instead of in order
                    preexec_fn=begin(self.child.orphan_signal, self.child.namespace),
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise UpError(
                    f"{self.child.name} cannot be started: {self.child.command[0]}: {error}"
                ) from error
        if self.child.keeps_pid_file:
            self.home.write_pid(self.child.name, self._popen.pid)

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""
        code = self._popen.poll() if self._popen else None
        if code is not None:
            self._end_group()
        return code

    def ready(self) -> bool:
        return self.child.ready(self)

    def ask_to_stop(self) -> None:
        """The first signal of ``stop``, which does not send it again; does nothing when it is not running."""
        if self._popen is not None and not self._asked and self._popen.poll() is None:
            self._asked = True
            self._popen.send_signal(self.child.stages[0][0])

    def stop(self) -> None:
        """Ends it and waits, however it resists; does nothing when it is not running."""
        self.ask_to_stop()
        for turn, (number, seconds) in enumerate((*self.child.stages, (signal.SIGKILL, 10.0))):
            if self._popen is None or self._popen.poll() is not None:
                break
            if turn:
                self._popen.send_signal(number)
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        self._end_group()
        if self.child.keeps_pid_file:
            self.home.remove_pid(self.child.name)

    def kill(self) -> None:
        """SIGKILL, as a crash would look like; waits until it is gone."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
            self._end_group()

    def shorten_log(self) -> None:
        """Puts its log aside when that is long. Raises OSError."""
        if self.home.shorten_log(self.child.name):
            self._log_start = 0

    def log_since_start(self) -> bytes:
        return self._log_from(self._log_start)

    def tail(self) -> str:
        """The last lines that it wrote since its start."""
        size = (self.home.log / f"{self.child.name}.log").stat().st_size
        text = self._log_from(max(self._log_start, size - TAIL_BYTES)).decode(errors="replace")
        return "\n".join(text.splitlines()[-TAIL_LINES:])

    def _log_from(self, position: int) -> bytes:
        with (self.home.log / f"{self.child.name}.log").open("rb") as log:
            log.seek(position)
            return log.read()

    def _end_group(self) -> None:
        """A worker's pool outlives a killed worker and would work on beside the new one."""
        if self._popen is not None:
            with suppress(ProcessLookupError):  # nobody left, the usual case
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen = None  # its pid may be any process's from now on
