"""A terminal with a person before it: a pseudo-terminal that a command has as its own."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.system import wait_for


class Terminal:
    """``shown`` is all that was written to it so far."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.shown = ""
        self._fd, its = pty.openpty()
        self.resize(24, 80)
        self.process = subprocess.Popen(
            argv, env=env, stdin=its, stdout=its, stderr=its, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(its)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def wait_for(self, text: str, seconds: float = 60.0) -> None:
        """Waits until the text was shown, and forgets all until then."""
        limit = time.monotonic() + seconds
        while text not in self.shown:
            assert self._read(limit), f"{text!r} was not shown, but {self.shown!r}"
        self.shown = self.shown.partition(text)[2]

    def rest(self, seconds: float = 60.0) -> str:
        """All that is shown until the command has ended."""
        limit = time.monotonic() + seconds
        while self._read(limit):
            continue
        return self.shown

    def wait_for_stop(self) -> None:
        """Waits until all processes of the session are stopped but the shell that leads it. One that has not come to
        its stop yet would read what is typed for the shell."""
        wait_for("the stop", lambda: {*self._states()} == {"T"})

    def _states(self) -> Iterator[str]:
        """The state of each process of the session but its leader, as /proc has it."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it has ended
                pid, _, rest = path.read_text().partition(" ")
                state, _, _, session = rest.rpartition(") ")[2].split()[:4]
                if int(session) == self.process.pid != int(pid):
                    yield state

    def _read(self, limit: float) -> bool:
        ready, _, _ = select.select([self._fd], [], [], max(0.0, limit - time.monotonic()))
        try:
            data = os.read(self._fd, 65_536) if ready else b""
        except OSError:  # nobody has the other end any more
            data = b""
        self.shown += data.decode("utf-8", "replace")
        return bool(data)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(60)
        os.close(self._fd)


@contextmanager
def terminal(argv: Sequence[str], env: Mapping[str, str]) -> Iterator[Terminal]:
    found = Terminal(argv, env)
    try:
        yield found
    finally:
        found.close()
