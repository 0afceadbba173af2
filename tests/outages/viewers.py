"""Viewers of one task over every transport, and what they must have seen when all is over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.system import User, wait_for
from tests.support.viewers import JavaScriptViewer, SocketViewer, SseViewer, Viewer


class TimedSse(SseViewer):
    """Notes how late each line of ``emit_load`` came, in seconds: its message begins with when it was made."""

    def __init__(self, url: str, user: User, task_id: str) -> None:
        super().__init__(url, user, task_id)
        self.lateness: list[float] = []

    def heard(self, type: str, data: dict[str, Any], id: str | None = None) -> None:
        if type == "log" and data["message"].startswith("@t="):
            made = int(data["message"].partition(" ")[0].removeprefix("@t="))
            self.lateness.append((time.monotonic_ns() - made) / 1e9)
        super().heard(type, data, id)


@contextmanager
def watching(url: str, user: User, task_id: str) -> Iterator[list[Viewer]]:
    """An SSE viewer first, then Socket.IO's: Python's by WebSocket and by polling, and the official JavaScript one."""
    viewers: list[Viewer] = [
        TimedSse(url, user, task_id),
        SocketViewer(url, user, task_id),
        SocketViewer(url, user, task_id, transports=("polling",)),
        JavaScriptViewer(url, user, task_id),
    ]
    opened: list[Viewer] = []
    try:
        for viewer in viewers:
            viewer.open(0)
            opened.append(viewer)
        yield viewers
    finally:
        for viewer in opened:
            viewer.close()


def saw_everything(viewers: list[Viewer], user: User, task_id: str, status: str, seconds: float = 60) -> None:
    """Each saw every event of the task that ended so, once and in order."""
    task = user.finished(task_id, seconds)
    assert task["task"]["status"] == status
    for viewer in viewers:
        wait_for(f"the end on {viewer.__class__.__name__}", lambda v=viewer: v.ended, seconds)
        assert viewer.sequences == list(range(1, task["sequence"] + 1)), viewer.__class__.__name__
    assert [e["sequence"] for e in user.events(task_id)] == list(range(1, task["sequence"] + 1))
