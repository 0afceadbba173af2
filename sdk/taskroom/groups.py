"""Groups of lines in the log of a run, within one another."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from taskroom.limits import GROUP_LIMIT, OPEN_GROUPS

Emit = Callable[[str, dict[str, Any]], None]
Warn = Callable[[str, str], None]


class Groups:
    """Reports the begin and the end of each group. Those over a limit are none: their lines are in the group around
    them, and ``warn`` is told."""

    def __init__(self, emit: Emit, warn: Warn) -> None:
        self._emit, self._warn = emit, warn
        self._open = self._begun = 0

    @contextmanager
    def group(self, name: str, phase: str | None) -> Iterator[None]:
        """Opens a group for the length of the block."""
        if self._open >= OPEN_GROUPS or self._begun >= GROUP_LIMIT:
            most = f"{OPEN_GROUPS} groups within one another, and {GROUP_LIMIT} in all"
            self._warn(
                "groups", f"the log of a run has at most {most}: lines of others are in the one around them"
            )
            yield
            return
        same = {"group_id": uuid.uuid4().hex[:12], "name": name, "phase": phase}
        self._open += 1
        self._begun += 1
        self._emit("log_group", {**same, "status": "open"})
        try:
            yield
        finally:
            self._open -= 1
            self._emit("log_group", {**same, "status": "closed"})
