"""The memory of this process and its children."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc/self")


def memory_bytes(process: Path = PROC) -> int | None:
    """Returns the resident memory; None where the system does not tell it. Pages that processes share count in each."""
    own = _resident(process)
    if own is None:
        return None
    pids = {pid for path in process.glob("task/*/children") for pid in _children(path)}
    return own + sum(_resident(process.parent / pid) or 0 for pid in pids)


def _children(path: Path) -> list[str]:
    """Returns the children of a thread; none of one that has ended."""
    try:
        return path.read_text().split()
    except OSError:
        return []


def _resident(process: Path) -> int | None:
    """Returns None for a process that has ended, and without such files."""
    try:
        pages = int((process / "statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
