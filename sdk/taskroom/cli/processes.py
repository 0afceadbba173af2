"""The processes that a command has started, and theirs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class Process(NamedTuple):
    """``start`` tells it from a later one with the same number; empty where that is not known."""

    pid: int
    start: str


def tree(roots: Iterable[Process]) -> list[Process]:
    """Those of the roots that are still there and all below them, each after the one that started it."""
    found = {process.pid: (process, parent) for process, parent in _all()}
    children: dict[int, list[int]] = {}
    for pid, (_, parent) in found.items():
        children.setdefault(parent, []).append(pid)
    waiting = [root.pid for root in roots if root.pid in found and found[root.pid][0].start == root.start]
    members = dict.fromkeys(waiting)
    while waiting:
        for pid in children.get(waiting.pop(0), ()):
            if pid not in members:
                members[pid] = None
                waiting.append(pid)
    return [found[pid][0] for pid in members]


def process(pid: int) -> Process | None:
    """The running process of this number."""
    return next((each for each, _ in _all() if each.pid == pid), None)


def send(number: int, processes: Iterable[Process]) -> None:
    """Sends the signal to all that can be signalled."""
    for each in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(each.pid, number)


def _all() -> Iterator[tuple[Process, int]]:
    """Yields each process, and the number of the one that started it."""
    if (PROC / "self/stat").exists():
        for path in PROC.iterdir():
            if path.name.isdigit():
                with suppress(OSError):
                    fields = (path / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                    yield Process(int(path.name), fields[19]), int(fields[1])
        return
    listed = subprocess.run(("ps", "-A", "-o", "pid=,ppid="), capture_output=True, text=True, check=False)
    for line in listed.stdout.splitlines():
        pid, parent = line.split()
        yield Process(int(pid), ""), int(parent)
