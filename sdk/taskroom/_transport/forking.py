"""Clients in forked children, and at the end of a process."""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from typing import Any, Protocol

CLOSE_SECONDS = 2.0  # for all clients together


class Follower(Protocol):
    def in_child(self) -> None: ...

    def close(self, timeout: float) -> bool: ...


_followers: weakref.WeakSet[Any] = weakref.WeakSet()


def follow(client: Follower) -> None:
    """Tells the client of forks and of the end of the process, as long as somebody has it."""
    _followers.add(client)


def close_all(_: object = None) -> None:
    """Closes all clients."""
    deadline = time.monotonic() + CLOSE_SECONDS
    for client in list(_followers):
        client.close(max(0.0, deadline - time.monotonic()))


def _in_child() -> None:
    for client in list(_followers):
        client.in_child()
    util = sys.modules.get("multiprocessing.util")
    if util is not None and _followers:
        # Its children leave without atexit, and call what was registered only once they have begun.
        util.register_after_fork(close_all, _close_at_end)


def _close_at_end(_: object) -> None:
    from multiprocessing import util

    util.Finalize(None, close_all, exitpriority=0)


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
