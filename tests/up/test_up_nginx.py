"""Two web processes behind nginx: the whole application under the real supervisor."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.up.running import Running, eventually

NAMES = ("postgres", "redis", "nginx", "web-1", "web-2", "worker", "beat")
PASSWORD = "correct horse battery"


@pytest.fixture
def up(migrated_root: Path) -> Iterator[Running]:
    running = Running(migrated_root, "app.up", WEB_PROCESSES="2", DEMO_PASSWORD=PASSWORD)
    yield running
    running.stop()


class Requests(threading.Thread):
    """Sends requests one after another, each over a new connection, until no process listens at the port.

    The last connection is refused, or reset when it was in the listener's queue while the listener was closed. Every
    other request without an answer has its error in ``lost``.
    """

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.answers: Counter[int] = Counter()
        self.lost: list[Exception] = []

    def run(self) -> None:
        while True:
            try:
                self.answers[httpx.get(self.url + "/readyz", timeout=60, trust_env=False).status_code] += 1
            except httpx.ConnectError:
                if self.lost and isinstance(self.lost[-1], httpx.ReadError):
                    self.lost.pop()
                return
            except httpx.TransportError as error:
                self.lost.append(error)


def web_addresses(running: Running) -> list[str]:
    """Returns the addresses of web-1 and web-2 from their logs; a process that started twice has two."""
    found = []
    for name in ("web-1", "web-2"):
        log = (running.home / "log" / f"{name}.log").read_text()
        found.append([line.split()[-3] for line in log.splitlines() if "serving on" in line])
    return [" ".join(addresses) for addresses in found]


def test_life(up: Running) -> None:
    up.wait_for("nginx, web-1, web-2, worker, beat")
    url = up.wait_for("ready").removeprefix("ready ")
    up.wait_for("login")
    pids = [up.pid(name) for name in NAMES]
    assert len(set(pids)) == len(NAMES)
    for number, name in enumerate(("web-1", "web-2"), 1):
        environment = Path(f"/proc/{up.pid(name)}/environ").read_bytes().split(b"\0")
        assert f"TASKROOM_PROCESS={number}".encode() in environment and b"TRUSTED_PROXIES=1" in environment
    one, two = web_addresses(up)
    assert one != two

    up.crash("web-2")
    up.wait_for("web-2 exited (killed by SIGKILL)")
    assert httpx.get(url + "/readyz").status_code == 200, "the other one serves"
    eventually(lambda: web_addresses(up)[1] == f"{two} {two}")

    up.crash("nginx")  # its workers must end too, or the port stays in use
    up.wait_for("nginx exited (killed by SIGKILL)")
    eventually(lambda: ready(url))
    assert up.pid("nginx") not in pids

    login = httpx.post(
        url + "/api/v2/auth/login", json={"email": "demo@taskroom.local", "password": PASSWORD}
    ).json()
    headers = {"Authorization": f"Bearer {login['access_token']}", "Accept": "text/event-stream"}
    started = httpx.post(
        url + "/api/v2/agent/start", headers=headers, json={"job_type": "knowledge_base", "params": {}}
    )
    stream = f"{url}/api/v2/tasks/{started.json()['task_id']}/stream?since_sequence=latest"
    requests = [Requests(url) for _ in range(2)]
    with httpx.stream("GET", stream, headers=headers, timeout=60) as viewer:
        lines = viewer.iter_lines()
        assert next(lines).startswith("retry: ")
        for thread in requests:
            thread.start()
        eventually(lambda: all(thread.answers[200] for thread in requests))
        os.kill(up.pid("worker"), signal.SIGKILL)  # or the stop would wait for its task
        assert up.stop() == 0
        *_, last = (line for line in lines if line)  # raises when the connection is cut instead of closed
        assert last.startswith("retry: "), "its web process sends the viewer away"
    for thread in requests:
        thread.join(60)
        assert not thread.lost and not set(thread.answers) - {200, 503}
    assert not up.survivors()
    assert not list((up.home / "run").glob("*.pid"))


def ready(url: str) -> bool:
    try:
        return httpx.get(url + "/readyz", timeout=60).status_code == 200
    except httpx.TransportError:
        return False
