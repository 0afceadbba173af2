"""Processes that an earlier run left behind, told from others by what they are and not by a pid alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

TAG = "TASKROOM_CHILD_OF"  # in the environment of each child: the home it belongs to
# They overwrite their environment, so their folder tells whose they are. Debian's servers are links to their tools.
SERVERS = {"postgres", "redis-server", "redis-check-rdb", "valkey-server", "valkey-check-rdb", "nginx"}


@dataclass(frozen=True, slots=True)
class Found:
    pid: int
    program: str
    folder: Path
    environment: tuple[bytes, ...]


def leftovers(home: Path) -> list[Found]:
    """All living processes that a supervisor of this home started. Empty where there is no /proc.

    ``home`` is a resolved path.
    """
    tag = os.fsencode(f"{TAG}={home}")
    return [
        p for p in _processes() if tag in p.environment or (p.program in SERVERS and home in p.folder.parents)
    ]


def servers_in(folder: Path, program: str) -> list[Found]:
    """Processes of ``program`` that work in exactly this folder: a postmaster and its backends."""
    return [p for p in _processes() if p.program == program and p.folder == folder]


def end(find: Callable[[], list[Found]], stages: Iterable[tuple[signal.Signals, float]]) -> int:
    """Sends each signal, waits up to its seconds until ``find`` finds none; returns how many there were."""
    first = remaining = find()
    for number, seconds in stages:
        for process in remaining:
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:
                continue  # gone since it was found, which is what is wanted
        limit = time.monotonic() + seconds
        while remaining and time.monotonic() < limit:
            time.sleep(0.02)
            remaining = find()
    return len(first)


def _processes() -> Iterator[Found]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int(entry.name) == os.getpid() or _is_zombie(entry):
                continue
            program = (entry / "exe").readlink().name.removesuffix(" (deleted)")
            folder = (entry / "cwd").readlink()
            environment = tuple((entry / "environ").read_bytes().split(b"\0"))
        except (OSError, ValueError):
            continue  # another user's, or gone in the meantime: neither can be ours to end
        yield Found(int(entry.name), program, folder, environment)


def _is_zombie(entry: Path) -> bool:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
