"""Prints the folder for the servers' data: in memory when enough is free, else the folder of the argument.

A run that was killed with everything on its machine leaves its data in memory; the next run removes it.
"""

from __future__ import annotations

import re
import shutil
import sys
from contextlib import suppress
from pathlib import Path

SHARED = Path("/dev/shm")
FREE_BYTES = 4_000_000_000  # a run has 0.6 GB of data at most; its processes need memory too
RUN = "run.pid"  # the file with the process of a run, in the folder of its servers


def has_room(folder: Path, free_bytes: int = FREE_BYTES) -> bool:
    """Whether the folder is a file system in memory and ``free_bytes`` are free."""
    mounts, memory = Path("/proc/mounts"), Path("/proc/meminfo")
    if not (folder.is_dir() and mounts.exists() and memory.exists()):
        return False
    in_memory = any(line.split()[1:3] == [str(folder), "tmpfs"] for line in mounts.read_text().splitlines())
    available = re.search(r"^MemAvailable: +(\d+) kB$", memory.read_text(), re.MULTILINE)
    free = min(int(available[1]) * 1024 if available else 0, shutil.disk_usage(folder).free)
    return in_memory and free >= free_bytes


def remove_dead(folder: Path) -> None:
    """Removes the data of runs whose process has ended."""
    for run in folder.glob(f"taskroom-tests-*/{RUN}"):
        with suppress(OSError, ValueError):  # it removes itself, or another user's
            if not Path(f"/proc/{int(run.read_text())}").exists():
                shutil.rmtree(run.parent)


if __name__ == "__main__":
    remove_dead(SHARED)
    print(SHARED if has_room(SHARED) else sys.argv[1])
