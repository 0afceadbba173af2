"""Web processes that die, and what nginx says while none is there."""

from __future__ import annotations

import contextlib
import http.server
import os
import socket
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.up import nginx
from app.up.embedded import free_port
from tests.proxy.conftest import Site, running_nginx
from tests.proxy.viewers import EventSource, opened
from tests.support.held import held
from tests.support.javascript import JavaScriptViewer
from tests.support.system import User, wait_for

EVENT_SOURCE = {"Accept": "text/event-stream"}


def test_viewers_of_a_killed_process_come_back_through_the_other(
    mortal: Site, user: User, tmp_path: Path
) -> None:
    with held(user, tmp_path) as run:
        sources = [EventSource(mortal.url, user, run.id) for _ in range(4)]
        sockets = [
            JavaScriptViewer(mortal.url, user, run.id, (transport,))
            for transport in ("websocket", "polling")
            for _ in range(3)
        ]
        with opened(sources, sockets) as viewers:
            for viewer in viewers:
                viewer.wait_events(50)
            on_both = {one.connections[0]["sid"].partition("-")[0] for one in sockets}
            assert on_both == {"1", "2"}
            mortal.kill(2)
            for viewer in viewers:
                viewer.wait_events(len(viewer.events) + 100)
            wait_for("the second's viewers", lambda: sum(source.returns for source in sources) == 2, 60)
            run.let_go()
            for viewer in viewers:
                wait_for("the end", lambda v=viewer: v.ended, 60)
            expected = list(range(1, user.status(run.id)["sequence"] + 1))
            for viewer in viewers:
                assert viewer.sequences == expected
            for one in sockets:
                assert one.connections[-1]["sid"].startswith("1-")
            assert sum(source.returns for source in sources) == 2


@pytest.fixture
def nobody() -> Iterator[dict[int, str]]:
    """The addresses of two web processes that are not there; the ports are theirs all the same."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(2)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        yield {number: f"127.0.0.1:{one.getsockname()[1]}" for number, one in enumerate(taken, 1)}


def test_with_all_web_processes_down_everybody_is_told_to_come_back(
    nobody: dict[int, str], tmp_path: Path
) -> None:
    with running_nginx(tmp_path, nobody) as (url, home):
        everybody_is_told(url)
        lines = home.log / "nginx.log"
        wait_for("the lines of the log", lambda: lines.read_text().count("GET /api/v2/tasks/") >= 21, 60)
        assert "a-secret" not in lines.read_text() and "sid=" not in lines.read_text()


def everybody_is_told(url: str) -> None:
    stream = f"/api/v2/tasks/{uuid.uuid4()}/stream?ticket=a-secret-of-somebody"
    waits = set()
    with httpx.Client(base_url=url, timeout=30) as client:
        for _ in range(20):
            answer = client.get(stream, headers=EVENT_SOURCE)
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
            assert answer.headers["Connection"] == "close"
            field, _, milliseconds = answer.text.partition(": ")
            assert field == "retry" and milliseconds.endswith("\n\n")
            waits.add(int(milliseconds))
        assert len(waits) > 10 and 1000 <= min(waits) <= max(waits) < 3000
        for path in (stream, "/api/v2/tasks", "/socket.io/?EIO=4&transport=polling&sid=2-away"):
            answer = client.get(path)
            assert answer.status_code == 503 and answer.headers["Retry-After"] == "2"
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json() == {
                "type": "about:blank",
                "title": "Service Unavailable",
                "status": 503,
                "detail": "No web process answers; try again",
            }


@pytest.fixture
def deaf() -> Iterator[Callable[[], tuple[str, list[str]]]]:
    """Makes web servers that take a request and close without an answer; gives address and what was sent."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def make() -> tuple[str, list[str]]:
        taken: list[str] = []

        class Deaf(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                taken.append(self.command)
                self.close_connection = True

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                """What it takes is in the list."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Deaf)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"127.0.0.1:{server.server_port}", taken

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_request_that_may_have_been_done_is_not_sent_again(
    deaf: Callable[[], tuple[str, list[str]]], tmp_path: Path
) -> None:
    (one, first), (two, second) = deaf(), deaf()
    with running_nginx(tmp_path, {1: one, 2: two}) as (url, _):

        def posts_taken() -> int:
            assert httpx.post(url + "/api/v2/agent/start", json={}).status_code == 503
            return (first + second).count("POST")

        # Both failed when it was asked whether it answers: for two seconds it tries neither.
        assert wait_for("a process that is tried again", posts_taken) == 1
        assert "GET" in first and "GET" in second, "what is safe is tried at the other"


def test_nginx_runs_without_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("the others run without root already")
    port = free_port()
    unprivileged: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        conf, log = folder / "nginx.conf", folder / "nginx.log"
        conf.write_text(
            nginx.configuration(f"127.0.0.1:{port}", {1: "127.0.0.1:1"}, nginx.TEMPLATE.read_text())
        )
        log.touch()
        for path in (folder, conf, log):
            os.chown(path, 65534, 65534)
        command = [nginx.require_nginx(), "-p", f"{folder}/", "-c", conf, "-e", "stderr"]
        with log.open("ab") as output:
            run = subprocess.Popen(command, stdout=output, stderr=output, **unprivileged)
        try:
            wait_for("its pid file", lambda: run.poll() is not None or (folder / "nginx.pid").exists())
            assert run.poll() is None, log.read_text()
            assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 503
        finally:
            run.terminate()
            run.wait(60)
