"""Clients in forked children, and at the end of a process."""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from typing import Any, NoReturn, Protocol

CLOSE_SECONDS = 2.0  # for all clients together
RESULT_SECONDS = 0.5  # the same, before a process of a pool hands over a result

_exit = os._exit


class Follower(Protocol):
    def in_child(self) -> None: ...

    def flush(self, timeout: float) -> bool: ...

    def close(self, timeout: float) -> bool: ...

    def hand_over(self) -> None: ...


_followers: weakref.WeakSet[Any] = weakref.WeakSet()


def follow(client: Follower) -> None:
    """Tells the client of forks and of the end of the process, as long as somebody has it."""
    _followers.add(client)


def close_all(_: object = None) -> None:
    """Closes all clients."""
    deadline = time.monotonic() + CLOSE_SECONDS
    for client in list(_followers):
        client.close(max(0.0, deadline - time.monotonic()))


def flush_all(seconds: float) -> None:
    """Waits until the server or the disk has what all clients were given, at most so long."""
    deadline = time.monotonic() + seconds
    for client in list(_followers):
        client.flush(max(0.0, deadline - time.monotonic()))


def _exit_flushed(status: int) -> NoReturn:
    try:
        flush_all(CLOSE_SECONDS)
    finally:
        _exit(status)


def _in_child() -> None:
    for client in list(_followers):
        client.in_child()
    if _followers:
        os._exit = _exit_flushed  # which ends most children, without atexit
    util = sys.modules.get("multiprocessing.util")
    if util is not None and _followers:
        # Its children leave without atexit, and call what was registered only once they have begun.
        util.register_after_fork(close_all, _close_at_end)


def _close_at_end(_: object) -> None:
    from multiprocessing import util

    util.Finalize(None, close_all, exitpriority=0)
    pool = sys.modules.get("multiprocessing.pool")
    process: Any = sys.modules["multiprocessing"].current_process()
    if pool is not None and getattr(process, "_target", None) is pool.worker:
        _flush_before_results(process._args[1])


def _flush_before_results(results: Any) -> None:
    """A pool ends its processes by SIGTERM once it has their results, however new their last lines are."""
    put = results.put

    def flush_and_put(result: Any) -> None:
        flush_all(RESULT_SECONDS)
        put(result)

    results.put = flush_and_put


def _end() -> None:
    close_all()
    for client in list(_followers):
        client.hand_over()


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
