"""What the operating system knows of a process: CPU, memory, sockets. Linux only."""

from __future__ import annotations

import os
import resource
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> list[int]:
    """The process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the process with its threads, its living descendants, and those it waited for."""
    total = 0
    for member in family(pid):
        if fields := _stat(member):
            total += sum(int(ticks) for ticks in fields[11:15])
    return total / TICK


def busy_seconds() -> float:
    """User and system time of the whole machine since it started."""
    user, nice, system = Path("/proc/stat").read_text().split()[1:4]
    return (int(user) + int(nice) + int(system)) / TICK


def memory(pid: int) -> int:
    """Bytes in memory of the process and its descendants; shared pages count by their share (PSS)."""
    total = 0
    for member in family(pid):
        try:
            text = Path(f"/proc/{member}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended since it was listed
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024


def socket_memory() -> int:
    """Bytes that the kernel holds in the buffers of all TCP sockets of this machine."""
    line = next(x for x in Path("/proc/net/sockstat").read_text().splitlines() if x.startswith("TCP:"))
    fields = line.split()
    return int(fields[fields.index("mem") + 1]) * PAGE


def zero_windows() -> int:
    """How often a socket of this machine told its sender that its receive buffer was full."""
    names, values = (
        line.split()
        for line in Path("/proc/net/netstat").read_text().splitlines()
        if line.startswith("TcpExt:")
    )
    return int(dict(zip(names, values, strict=True))["TCPToZeroWindowAdv"])


def raise_file_limit() -> None:
    """As many open files as the system allows, for this process and those it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _stat(pid: int) -> list[str] | None:
    """The fields after the name, from the state on: the name may hold spaces and parentheses."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
