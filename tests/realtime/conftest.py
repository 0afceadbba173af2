"""One viewer for each transport: what holds for streams is tested over both."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from app.stream.hub import Hub
from tests.realtime.fakes import Line
from tests.stream.fakes import FakeStore, at_once, hub_over
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer

Open = Callable[..., Viewer]


@pytest.fixture(params=["sse", "websocket", "polling", "batch"])
def watch(request: pytest.FixtureRequest, system: System) -> Iterator[Open]:
    """``watch(user, task_id, since, room)`` opens a viewer; all are closed afterwards."""
    opened: list[Viewer] = []

    def watch(user: User, task_id: str, since: int | str | None = 0, room: str = "task") -> Viewer:
        viewer: Viewer
        if request.param == "sse":
            viewer = SseViewer(system.url, user, task_id, room)
        else:
            batch = request.param == "batch"
            transport = "websocket" if batch else request.param
            viewer = SocketViewer(system.url, user, task_id, (transport,), room, batch)
        opened.append(viewer)
        viewer.open(since)
        return viewer

    yield watch
    for viewer in opened:
        viewer.close()


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(monkeypatch)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    """Holds the first event of two streams."""
    at_once(monkeypatch)
    store = FakeStore()
    store.add("task:a"), store.add("task:b")
    return store


@pytest.fixture
def hub(store: FakeStore) -> Iterator[Hub]:
    hub = hub_over(store)
    yield hub
    hub.stop()


@pytest.fixture
def running(user: User) -> Iterator[str]:
    """A task that runs, and says nothing new once its phase is reported."""
    task_id = user.start("test_quiet")
    wait_for("its phase", lambda: user.status(task_id)["sequence"] >= 5)
    yield task_id
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
