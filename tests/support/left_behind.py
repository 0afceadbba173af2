"""Finds what a run of ``script/test`` left behind: processes, which it ends, and the data of servers."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

WAIT_SECONDS = 120.0  # for processes that are about to end


def processes(*folders: Path) -> Iterator[tuple[int, str]]:
    """Yields the pid and command of each process whose environment, command or working folder names one of the folders.
    The environment alone is not enough: Postgres, Redis and nginx overwrite theirs."""
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        with suppress(OSError):  # it has ended, or belongs to another user
            command = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes().split(b"\0")
            cwd = (entry / "cwd").readlink()
            if pid != os.getpid() and any(
                cwd.is_relative_to(folder)
                or os.fsencode(folder) in command
                or b"TMPDIR=" + os.fsencode(folder) in environment
                for folder in folders
            ):
                yield pid, command.replace(b"\0", b" ").decode(errors="replace").strip()


def main(*folders: Path) -> int:
    """Returns the exit code: 0 when nothing is left, else 1."""
    limit = time.monotonic() + WAIT_SECONDS
    while (left := dict(processes(*folders))) and time.monotonic() < limit:
        time.sleep(0.2)
    for pid, command in left.items():
        print(f"left behind: process {pid}, {command}")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    servers = [path for folder in folders for path in sorted(folder.glob("taskroom-servers-*"))]
    for path in servers:
        print(f"left behind: {path}")
    return 1 if left or servers else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
