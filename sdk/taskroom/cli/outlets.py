"""Where a command writes: a pseudo-terminal in place of a terminal, else a pipe."""

from __future__ import annotations

import fcntl
import os
import termios
from contextlib import suppress

PIPE_BYTES = 1 << 20  # as much is written before a command waits for who passes it on
SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", 1031)  # Linux; Python 3.9 has no name for it
OUTPUT_FLAGS = 1  # their place among the attributes of a terminal


class Outlet:
    """In place of ``target`` (1 or 2) the command gets ``its``, and what it writes there is read from ``ours``."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.is_terminal = os.isatty(target)
        self._size = b""
        if self.is_terminal:
            try:
                self._open_terminal(target)
            except OSError:  # none is left, or /dev/pts is not mounted
                self.is_terminal = False
        if not self.is_terminal:
            self.ours, self.its = os.pipe()
            with suppress(OSError):  # more than this user may have
                fcntl.fcntl(self.its, SET_PIPE_SIZE, PIPE_BYTES)

    def _open_terminal(self, target: int) -> None:
        self.ours, self.its = os.openpty()
        attributes = termios.tcgetattr(target)
        attributes[OUTPUT_FLAGS] &= ~termios.OPOST  # the real terminal does that
        termios.tcsetattr(self.its, termios.TCSANOW, attributes)
        self.fit()

    def fit(self) -> bool:
        """Gives the pseudo-terminal the size of the real one; whether it had another."""
        if not self.is_terminal:
            return False
        try:
            size = fcntl.ioctl(self.target, termios.TIOCGWINSZ, b"\0" * 8)
            if size == self._size:
                return False
            fcntl.ioctl(self.ours, termios.TIOCSWINSZ, size)
        except OSError:  # the terminal has gone
            return False
        self._size = size
        return True

    def close_its(self) -> None:
        os.close(self.its)


def fill_standard_descriptors() -> None:
    """Opens /dev/null in place of a stdin, stdout or stderr that is closed: no file of ours may get its number."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != fd:
                os.dup2(opened, fd)
                os.close(opened)
