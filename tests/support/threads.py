"""Waits for threads of tests."""

from __future__ import annotations

import threading


def joined(*threads: threading.Thread) -> None:
    """Waits until all have ended. An AssertionError names a thread that still runs after a minute."""
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), f"{thread.name} still runs after a minute"
