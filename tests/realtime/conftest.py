"""One viewer for each transport: what holds for streams is tested over both."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.system import System, User
from tests.support.viewers import SocketViewer, SseViewer, Viewer

Open = Callable[..., Viewer]


@pytest.fixture(params=["sse", "websocket", "polling"])
def watch(request: pytest.FixtureRequest, system: System) -> Iterator[Open]:
    """``watch(user, task_id, since)`` opens a viewer; all are closed afterwards."""
    opened: list[Viewer] = []

    def watch(user: User, task_id: str, since: int | str | None = 0) -> Viewer:
        viewer: Viewer
        if request.param == "sse":
            viewer = SseViewer(system.url, user, task_id)
        else:
            viewer = SocketViewer(system.url, user, task_id, transports=(request.param,))
        opened.append(viewer)
        viewer.open(since)
        return viewer

    yield watch
    for viewer in opened:
        viewer.close()
