"""Threads that a job's code starts inherit its context (``taskroom.threads``); those of the worker itself do not."""

from __future__ import annotations

from taskroom import threads

# Whole names: a job may call a thread of its own taskroom-something.
_OWN = frozenset(
    f"taskroom-{name}"
    for name in ("writer", "listener", "channels", "tails", "ticks", "all-users", "handler", "coroutines")
)


def install() -> None:
    """Changes how this process starts threads. A second call changes nothing."""
    threads.install(_OWN, threads.log_exception)  # one line, also outside of a task: in the worker's own log
