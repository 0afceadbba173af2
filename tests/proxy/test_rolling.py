"""Web processes that are asked to end: they send everybody away to come back, and nobody misses anything."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.proxy.conftest import Site
from tests.proxy.viewers import EventSource, Page, PythonSocket, opened
from tests.support.held import held
from tests.support.javascript import JavaScriptViewer
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer

DRAIN_SECONDS = 60  # many password hashes on a busy machine take more than the usual ones


CUT_OFF = "busy connections cut off"


def log_of(system: System, url: str) -> str:
    return (system.home / f"web-{url.rpartition(':')[2]}.log").read_text()


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks it to end, and waits until it has."""
    process.terminate()
    assert process.wait(DRAIN_SECONDS + 30) == 0


@contextmanager
def coming_back(site: Site, user: User, task_id: str) -> Iterator[list[Viewer]]:
    """Viewers that come back by themselves, over every transport and on both processes."""
    sources = [EventSource(site.url, user, task_id) for _ in range(4)]
    others: list[Viewer] = [Page(site.url, user, task_id)]
    others += [
        JavaScriptViewer(site.url, user, task_id, transports)
        for transports in (("websocket",), ("polling",), ("polling", "websocket"))
        for _ in range(2)
    ]
    others += [PythonSocket(site.url, user, task_id, (name,)) for name in ("websocket", "polling")]
    with opened(sources, others) as viewers:
        yield viewers


def test_a_rolling_restart_loses_nothing_and_repeats_nothing(
    mortal: Site, user: User, tmp_path: Path
) -> None:
    with held(user, tmp_path) as run, coming_back(mortal, user, run.id) as viewers:
        for viewer in viewers:
            viewer.wait_events(50)
        for number in (1, 2):
            end(mortal.processes[number])
            mortal.restart(number)
            seen = [len(viewer.events) for viewer in viewers]
            for viewer, before in zip(viewers, seen, strict=True):
                viewer.wait_events(before + 100)
        run.let_go()
        for viewer in viewers:
            wait_for("the end", lambda v=viewer: v.ended, 60)
        expected = list(range(1, user.status(run.id)["sequence"] + 1))
        for viewer in viewers:
            assert viewer.sequences == expected, viewer.__class__.__name__
        returns = [v.returns if isinstance(v, EventSource | Page) else len(v.controls) for v in viewers]
        assert min(returns) >= 1, "each was sent away at least once"


@pytest.fixture
def own(system: System) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A web process of the test's own, and its address."""
    with system.web(DRAIN_SECONDS=str(DRAIN_SECONDS)) as url:
        yield url, system.processes[-1]


def test_a_process_that_ends_tells_everybody_to_come_back(
    own: tuple[str, subprocess.Popen[bytes]], system: System, user: User
) -> None:
    url, process = own
    task_id = user.start("test_quiet")
    wait_for("its phase", lambda: user.status(task_id)["sequence"] >= 5, 60)
    streams = [SseViewer(url, user, task_id) for _ in range(20)]
    joined: list[SocketViewer] = []
    reasons: dict[Viewer, str] = {}
    for transport in ("websocket", "polling"):
        for joins in (True, False):
            viewer = SocketViewer(url, user, task_id, transports=(transport,))
            viewer.connect()
            viewer.client.on("disconnect", lambda why, v=viewer: (reasons.update({v: why}), v.closed.set()))
            if joins:
                viewer.join(0)
            joined.append(viewer)
    idle = httpx.Client(base_url=url, headers=dict(user.client.headers))  # keeps its connection open
    assert idle.get("/api/v2/tasks").status_code == 200
    for stream in streams:
        stream.open(0)
        stream.control("connected")
        stream.retry = None

    end(process)

    assert CUT_OFF not in log_of(system, url), "it waited for somebody who had nothing to wait for"
    for stream in streams:
        wait_for("its end", stream.closed.is_set)
    assert all(stream.retry for stream in streams) and len({stream.retry for stream in streams}) > 5
    assert not any(stream.ended for stream in streams)
    for viewer in joined:
        assert viewer.closed.wait(60)
        assert reasons[viewer] in ("transport close", "transport error"), (
            "from a disconnect nobody comes back"
        )
        viewer.close()
    idle.close()
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")


def test_a_request_in_flight_is_finished(own: tuple[str, subprocess.Popen[bytes]]) -> None:
    """Signing in takes a while, for the password's hash is made to: nobody's takes as long as any."""
    url, process = own
    answers: list[Any] = []
    body = {"email": "nobody@example.org", "password": "wrong on purpose"}

    def asks() -> None:
        answers.append(httpx.post(f"{url}/api/v2/auth/login", json=body, timeout=DRAIN_SECONDS).status_code)

    threads = [threading.Thread(target=asks) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for("one of them to be through", lambda: answers, DRAIN_SECONDS)
    end(process)
    for thread in threads:
        thread.join(DRAIN_SECONDS)

    assert answers == [401] * 4


def test_a_request_that_does_not_end_is_cut_off_and_told_of(system: System) -> None:
    with system.web(DRAIN_SECONDS="1") as url:
        process = system.processes[-1]
        place = urlsplit(url)
        with socket.create_connection((place.hostname, place.port)) as client:
            head = f"POST /api/v2/auth/login HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: 100\r\n"
            client.sendall(f"{head}Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 100"), "its body is waited for"
            end(process)
        assert f"{CUT_OFF} after 1 s: 1" in log_of(system, url)
