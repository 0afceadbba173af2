"""A real nginx in front of two real web processes, set up as ``script/up`` does it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.up import nginx
from app.up.embedded import free_port
from app.up.home import Home
from app.up.process import Process
from tests.support.system import System, User, wait_for


@dataclass(slots=True)
class Site:
    """What clients see under one address. ``urls`` and ``processes`` are by web process number."""

    url: str
    urls: dict[int, str]
    processes: dict[int, subprocess.Popen[bytes]]
    again: Callable[[int], subprocess.Popen[bytes]]

    def restart(self, number: int) -> None:
        """Starts a process that has ended, at its old address; returns when it serves."""
        self.processes[number] = self.again(number)
        wait_for(f"web process {number}", lambda: _answers(self.urls[number]), 120)

    def kill(self, number: int) -> None:
        process = self.processes[number]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)

    def client(self, user: User) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=dict(user.client.headers), timeout=30)


@contextmanager
def running_nginx(folder: Path, addresses: Mapping[int, str]) -> Iterator[tuple[str, Home]]:
    """nginx over these addresses (by process number); gives its own address and its home."""
    home, port = Home.open(folder), free_port()
    url = f"http://127.0.0.1:{port}"
    process = Process(nginx.child(home, f"127.0.0.1:{port}", addresses, lambda _: _answers(url)), home)
    process.start()
    try:
        wait_for("nginx", lambda: process.poll() is not None or process.ready(), 60)
        assert process.pid, process.tail()
        yield url, home
    finally:
        process.stop()


@contextmanager
def running_site(system: System, folder: Path, **env: str) -> Iterator[Site]:
    with ExitStack() as stack:
        urls: dict[int, str] = {}
        processes = {}

        def settings(number: int) -> dict[str, str]:
            return env | {"TASKROOM_PROCESS": str(number), "TRUSTED_PROXIES": "1"}

        def again(number: int) -> subprocess.Popen[bytes]:
            port = urls[number].rpartition(":")[2]
            environment = system.environment(PORT=port, **settings(number))
            process = system._spawn(f"web-{port}", ["tests.support.web"], environment)
            stack.callback(system._end, process)
            return process

        for number in (1, 2):
            urls[number] = stack.enter_context(system.web(**settings(number)))
            processes[number] = system.processes[-1]
        addresses = {number: url.removeprefix("http://") for number, url in urls.items()}
        url, _ = stack.enter_context(running_nginx(folder, addresses))
        yield Site(url, urls, processes, again)


def _answers(url: str) -> bool:
    try:
        httpx.get(url + "/livez", timeout=2)
    except httpx.TransportError:
        return False
    return True


@pytest.fixture(scope="package")
def site(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For the tests that break nothing; attempts are limited as they are outside benchmarks."""
    with running_site(system, tmp_path_factory.mktemp("site"), TASKROOM_BENCH="0") as site:
        yield site


@pytest.fixture
def mortal(system: System, tmp_path: Path) -> Iterator[Site]:
    """One of the test's own, whose web processes it may kill."""
    with running_site(system, tmp_path / "a home") as site:
        yield site
