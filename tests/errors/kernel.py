"""Errors that the kernel gives, by errno, and a process of its own for what comes of limits."""

from __future__ import annotations

import errno
import mmap
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from app.up.embedded import free_port
from tests.support.system import ROOT


def refused() -> None:
    with closing(socket.create_connection(("127.0.0.1", free_port()))):
        pass


def reset() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        accepted, _ = server.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()
        client.recv(1)


def broken_pipe() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    try:
        os.write(writes, b"x")
    finally:
        os.close(writes)


def timed_out() -> None:
    """A listener whose queue is full takes no connection; the kernel gives up after a tenth of a second."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        crowd = [socket.socket() for _ in range(3)]
        try:
            for each in crowd:
                each.setblocking(False)
                each.connect_ex(server.getsockname())
            with socket.socket() as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 100)
                client.connect(server.getsockname())
        finally:
            for each in crowd:
                each.close()


def unknown_name() -> None:
    socket.getaddrinfo("nowhere.invalid", 80)


def full_disk() -> None:
    Path("/dev/full").write_bytes(b"x")


def unreadable() -> None:
    with Path("/proc/self/mem").open("rb", buffering=0) as file:
        file.read(1)


def no_memory() -> None:
    mmap.mmap(-1, 1 << 50)  # more than any process can address


GIVEN: dict[str, Callable[[], None]] = {
    "ECONNREFUSED": refused,
    "ECONNRESET": reset,
    "EPIPE": broken_pipe,
    "ETIMEDOUT": timed_out,
    "EAI_NONAME": unknown_name,
    "ENOSPC": full_disk,
    "EIO": unreadable,
    "ENOMEM": no_memory,
}

# What cannot be had on every machine: another network, a quota, a whole system without files or processes.
SAID: dict[str, OSError] = {
    "EHOSTUNREACH": OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH)),
    "ENETUNREACH": OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH)),
    "EAI_AGAIN": socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
    "EAGAIN": BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)),
    "ENFILE": OSError(errno.ENFILE, os.strerror(errno.ENFILE)),
    "ENOBUFS": OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS)),
    "EDQUOT": OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
    "EROFS": OSError(errno.EROFS, os.strerror(errno.EROFS)),
}

LIMITED = """
import resource, socket, sys, threading
from app.errors import causes
{imports}

def told(function):
    try:
        function()
    except BaseException as error:
        return causes.of(error).value
    return "no error"

def without_files(function):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        return told(function)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

{code}
"""


def in_a_process(imports: str, code: str) -> str:
    """What a process of its own prints."""
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED.format(imports=imports, code=code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()
