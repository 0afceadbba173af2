"""Processes that an earlier run left behind. Their environment or folder identifies them; a pid alone does not."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

TAG = "TASKROOM_CHILD_OF"  # a variable of each child's environment: the home of its supervisor
# These overwrite their environment, so their folder identifies them. Debian's servers are links to the check tools.
SERVERS = {"postgres", "redis-server", "redis-check-rdb", "valkey-server", "valkey-check-rdb", "nginx"}


@dataclass(frozen=True, slots=True)
class FoundProcess:
    pid: int
    program: str
    folder: Path
    environment: tuple[bytes, ...]


def processes_of(home: Path) -> list[FoundProcess]:
    """Lists the running processes that a supervisor of this home started; empty where there is no /proc.

    ``home`` is a resolved path.
    """
    tag = os.fsencode(f"{TAG}={home}")
    return [
        p for p in _processes() if tag in p.environment or (p.program in SERVERS and home in p.folder.parents)
    ]


def servers_in(folder: Path, program: str) -> list[FoundProcess]:
    """Lists the processes of ``program`` whose working folder is ``folder``: a postmaster and its backends."""
    return [p for p in _processes() if p.program == program and p.folder == folder]


def terminate(find: Callable[[], list[FoundProcess]], signals: Iterable[tuple[signal.Signals, float]]) -> int:
    """Sends each signal and waits up to its seconds until ``find`` returns none; returns their number at first."""
    first = remaining = find()
    for number, seconds in signals:
        for process in remaining:
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:
                continue  # it ended meanwhile
        limit = time.monotonic() + seconds
        while remaining and time.monotonic() < limit:
            time.sleep(0.02)
            remaining = find()
    return len(first)


def _processes() -> Iterator[FoundProcess]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int(entry.name) == os.getpid() or _is_zombie(entry):
                continue
            program = (entry / "exe").readlink().name.removesuffix(" (deleted)")
            folder = (entry / "cwd").readlink()
            environment = tuple((entry / "environ").read_bytes().split(b"\0"))
        except (OSError, ValueError):
            continue  # a process of another user, or one that has just ended: neither is to be ended here
        yield FoundProcess(int(entry.name), program, folder, environment)


def _is_zombie(entry: Path) -> bool:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
