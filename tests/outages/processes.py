"""Processes and their children, as the kernel knows them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def children(pid: int) -> list[int]:
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _parent(p) == pid]


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Stops a process and its children, and lets them go on afterwards."""
    os.kill(pid, signal.SIGSTOP)  # first, so that it has no more children
    family = [pid, *children(pid)]
    for member in family:
        os.kill(member, signal.SIGSTOP)
    try:
        yield
    finally:
        for member in family:
            with suppress(ProcessLookupError):  # the test may have killed it
                os.kill(member, signal.SIGCONT)


def _parent(path: Path) -> int:
    try:
        return int((path / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it ended meanwhile
        return 0
