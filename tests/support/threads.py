"""Threads of tests, and their ends."""

from __future__ import annotations

import threading


def joined(*threads: threading.Thread) -> None:
    """All have ended, and what they read may be closed; an AssertionError when one still runs after a minute."""
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), f"{thread.name} still runs after a minute"
