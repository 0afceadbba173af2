"""Viewers of one task over every transport, and what they must have seen when all is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.javascript import JavaScriptViewer
from tests.support.system import User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer


@contextmanager
def watching(url: str, user: User, task_id: str) -> Iterator[list[Viewer]]:
    """An SSE viewer first, then Socket.IO's: Python's by WebSocket and by polling, and the official JavaScript one."""
    viewers: list[Viewer] = [
        SseViewer(url, user, task_id),
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
    for n, viewer in enumerate(viewers):
        wait_for(
            f"the end on viewer {n}, or its close", lambda v=viewer: v.ended or v.closed.is_set(), seconds
        )
        assert viewer.ended, f"viewer {n} was closed after {viewer.sequences[-1:]}: {viewer.controls[-3:]}"
        assert viewer.sequences == list(range(1, task["sequence"] + 1)), viewer.__class__.__name__
    assert [e["sequence"] for e in user.events(task_id)] == list(range(1, task["sequence"] + 1))
