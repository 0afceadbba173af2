"""One viewer for each transport: what holds for streams is tested over both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import jwt
import pytest
from socketio.exceptions import SocketIOError

from app.stream.hub import Hub
from tests.realtime.fakes import Line
from tests.stream.fakes import FakeStore, at_once, hub_over
from tests.support.system import SECRET, System, User, wait_for
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


def watch_briefly(watch: Open, user: User, task_id: str) -> Viewer:
    """A viewer from the first event on, whose token lives for no longer than it takes this machine to open it."""
    claims = jwt.decode(user.token, SECRET, algorithms=["HS256"], audience="taskroom")
    for seconds in (3, 10, 30, 90):
        token = jwt.encode(claims | {"exp": int(time.time()) + seconds}, SECRET, "HS256")
        try:
            viewer = watch(User(user.id, user.email, token, user.client), task_id, 0)
        except SocketIOError:  # it expired before, so a longer one is tried
            continue
        if viewer.is_open:
            return viewer
    raise AssertionError("no stream could be opened within 90 s")


@pytest.fixture(scope="session")
def quick(system: System) -> Iterator[str]:
    """A web process that keeps quiet streams alive every second, those of older clients every two, and pings sockets
    every second."""
    with system.web(KEEPALIVE_SECONDS="1", PING_SECONDS="1") as url:
        yield url


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
