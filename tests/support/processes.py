"""Processes and their children, as the kernel knows them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.system import wait_for


def children(pid: int) -> list[int]:
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _parent(p) == pid]


def stop(pid: int) -> None:
    """Stops a process. One that runs on another core may do a little more after the signal is sent."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(f"the stop of {pid}", lambda: _stat(Path(f"/proc/{pid}"))[0] in "TZ")


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Stops a process and its children, and lets them go on afterwards."""
    stop(pid)  # first, so that it has no more children
    family = [pid, *children(pid)]
    try:
        for member in family[1:]:
            stop(member)
        yield
    finally:
        for member in family:
            with suppress(ProcessLookupError):  # the test may have killed it
                os.kill(member, signal.SIGCONT)


def _parent(path: Path) -> int:
    try:
        return int(_stat(path)[1])
    except OSError:  # it ended meanwhile
        return 0


def _stat(path: Path) -> list[str]:
    """Returns the state of a process, its parent and so on: proc(5)."""
    return (path / "stat").read_text().rpartition(")")[2].split()
