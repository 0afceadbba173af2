"""A command as a child of this process, in the same group and session, as if it ran alone."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from taskroom.cli import processes
from taskroom.cli.outlets import Outlet

KILL_SECONDS = 10.0  # after SIGTERM
NOT_FOUND, NOT_EXECUTABLE = 127, 126  # as of a shell
SIGNALLED = 128  # more than the number of the signal, as of a shell
SHELL = "/bin/sh"
# Python ignores them, and who starts a program from Python must not hand that on.
RESTORED = [getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name)]


class CannotStart(Exception):
    """``status`` is the exit status with which a shell would say so."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Child:
    """``code`` is its exit status, or the negative number of the signal that ended it; None as long as it runs."""

    def __init__(
        self, argv: list[str], env: Mapping[str, str], outlets: Iterable[Outlet], mask: Iterable[Any]
    ) -> None:
        """Starts the command, with the outlets as its output and these signals blocked. Raises CannotStart."""
        actions = [(os.POSIX_SPAWN_DUP2, outlet.its, outlet.target) for outlet in outlets]
        try:
            self.pid = _spawn(argv, env, actions, mask)
        except (OSError, ValueError) as error:
            raise _reason(argv[0], error) from None
        self.code: int | None = None
        self._ended = threading.Event()

    @property
    def exit_status(self) -> int:
        """As a shell has it, once the command has ended."""
        assert self.code is not None
        return self.code if self.code >= 0 else SIGNALLED - self.code

    def has_ended(self) -> bool:
        """Looks whether the command has ended."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                self._ended.set()
        return self.code is not None

    def send(self, number: int) -> None:
        """Sends it a signal. Until it was waited for its number is its own."""
        if self.code is None:
            os.kill(self.pid, number)

    def end(self) -> None:
        """Sends SIGTERM to it and to all that it has started, and SIGKILL to those that are left later. Returns at
        once."""
        threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        mine = processes.process(self.pid)
        if mine is None or self.code is not None:
            return
        asked = processes.tree([mine])
        processes.send(signal.SIGTERM, asked)
        if not self._ended.wait(KILL_SECONDS):
            processes.send(signal.SIGKILL, processes.tree(asked))


def _spawn(argv: list[str], env: Mapping[str, str], actions: Any, mask: Iterable[Any]) -> int:
    options: Any = {"file_actions": actions, "setsigmask": mask, "setsigdef": RESTORED}
    try:
        return os.posix_spawnp(argv[0], argv, env, **options)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    path = argv[0] if "/" in argv[0] else _found(argv[0], env)
    return os.posix_spawn(SHELL, [SHELL, path, *argv[1:]], env, **options)  # a script without its first line


def _found(name: str, env: Mapping[str, str]) -> str:
    folders = env.get("PATH", os.defpath).split(os.pathsep)
    paths = (os.path.join(folder or ".", name) for folder in folders)  # noqa: PTH118
    return next((path for path in paths if os.access(path, os.X_OK)), name)


def _reason(name: str, error: Exception) -> CannotStart:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        if "/" in name and os.path.exists(name):  # noqa: PTH110
            return CannotStart(NOT_EXECUTABLE, f"{name}: its interpreter is not found")
        return CannotStart(NOT_FOUND, f"{name}: command not found")
    why = error.strerror if isinstance(error, OSError) else str(error)
    return CannotStart(NOT_EXECUTABLE, f"{name}: {why}")
