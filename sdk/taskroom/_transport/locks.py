"""Locks on files, which end with the process that holds them."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    available = False
else:
    available = True


def try_lock(fd: int) -> bool:
    """Locks the file unless another process has; a second opening in this process counts as another. Raises OSError
    where files cannot be locked."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def wait_for_lock(fd: int) -> None:
    """Waits until no other process has the file locked, and locks it."""
    fcntl.flock(fd, fcntl.LOCK_EX)


def is_current(fd: int, path: Path) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
