"""Reads CPU, memory and sockets of processes from the operating system. Linux only."""

from __future__ import annotations

import os
import resource
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> list[int]:
    """Returns the pids of the process and its running descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def cpu_seconds(pid: int) -> float:
    """Returns user and system time of the process with its threads, its running descendants and the reaped ones."""
    total = 0
    for member in family(pid):
        if fields := _stat(member):
            total += sum(int(ticks) for ticks in fields[11:15])
    return total / TICK


def busy_seconds() -> float:
    """Returns user and system time of the machine since its start."""
    user, nice, system = Path("/proc/stat").read_text().split()[1:4]
    return (int(user) + int(nice) + int(system)) / TICK


def memory(pid: int) -> int:
    """Returns the bytes in memory of the process and its descendants; a shared page counts by its share (PSS)."""
    total = 0
    for member in family(pid):
        try:
            text = Path(f"/proc/{member}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since the listing
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024


def socket_memory() -> int:
    """Returns the bytes in the kernel's buffers of all TCP sockets of this machine."""
    line = next(x for x in Path("/proc/net/sockstat").read_text().splitlines() if x.startswith("TCP:"))
    fields = line.split()
    return int(fields[fields.index("mem") + 1]) * PAGE


def zero_windows() -> int:
    """Returns how often a socket of this machine announced a full receive buffer to its sender."""
    names, values = (
        line.split()
        for line in Path("/proc/net/netstat").read_text().splitlines()
        if line.startswith("TcpExt:")
    )
    return int(dict(zip(names, values, strict=True))["TCPToZeroWindowAdv"])


def raise_file_limit() -> None:
    """Raises the limit of open files as far as possible, for this process and its children."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _stat(pid: int) -> list[str] | None:
    """Returns the fields after the name, from the state on: the name may hold spaces and parentheses."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
