"""A Taskroom whose Postgres, Redis, web process and worker may be stopped and killed: nobody else's."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from app.up.home import Home
from bench.proc import raise_file_limit
from tests.support.embedded import EmbeddedPostgres, EmbeddedRedis
from tests.support.processes import suspended
from tests.support.system import System, User, wait_for

# A lost worker is found within fifteen seconds instead of twenty-five. Not less: a healthy one that this machine keeps
# from running for four rounds is lost too.
SETTINGS = {
    "LEASE_ROUND_SECONDS": "3",
    # A test process with hundreds of clients of its own may be kept from answering a ping for longer than it may be.
    "PING_SECONDS": "300",
    # Nor does it always read in time what comes at once after an outage.
    "STALLED_SECONDS": "300",
}


class Postgres(EmbeddedPostgres):
    """Whose log says what it is asked, when a test likes: only a superuser's may."""

    rights = "SUPERUSER"


@dataclass(slots=True)
class World:
    system: System
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    web: subprocess.Popen[bytes]
    worker: subprocess.Popen[bytes] | None = None

    def log(self) -> str:
        """What the web process said."""
        (path,) = self.system.home.glob("web-*.log")
        return path.read_text()

    def ready(self) -> httpx.Response:
        return httpx.get(f"{self.system.url}/readyz", timeout=60)

    def metric(self, name: str) -> float:
        lines = httpx.get(f"{self.system.url}/metrics", timeout=60).text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"taskroom_{name} "))

    def start_worker(self, concurrency: int = 2) -> subprocess.Popen[bytes]:
        return self.system.start_worker(concurrency, **SETTINGS)

    @contextmanager
    def stopped(self, server: EmbeddedPostgres | EmbeddedRedis) -> Iterator[None]:
        """Neither dead nor answering, as on a machine that swaps or a network that swallows."""
        assert server.pid
        with suspended(server.pid):
            yield

    @contextmanager
    def without_redis(self) -> Iterator[None]:
        """It is killed, and comes back empty."""
        self.redis.kill()
        shutil.rmtree(self.redis.folder)
        try:
            yield
        finally:
            self.redis.start()

    def whole(self) -> None:
        """AllUsersSubscription has found everybody."""
        wait_for("a whole system", lambda: self.ready().json().get("status") == "ok", 60)


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    raise_file_limit()  # of this process and its web process: a crowd has a file for each viewer
    home = Home.open(tmp_path_factory.mktemp("outages"))
    with (
        Postgres(home) as postgres,
        EmbeddedRedis(home) as redis,
    ):
        system = System(postgres.url, redis.url, home.log)
        system.migrate()
        with system.running(workers=0, **SETTINGS):
            yield World(system, postgres, redis, system.processes[-1])


@pytest.fixture
def world(running: World) -> Iterator[World]:
    """It is whole before each test; what a test breaks it mends."""
    running.whole()
    if running.worker is None:
        running.worker = running.start_worker()
    yield running


@pytest.fixture
def without_worker(running: World) -> Iterator[World]:
    """The test starts what it needs."""
    running.whole()
    if running.worker is not None:
        running.worker.terminate()
        running.worker.wait(30)
        running.system.processes.remove(running.worker)
        running.worker = None
    yield running


@pytest.fixture
def user(running: World) -> Iterator[User]:
    user = running.system.user()
    yield user
    user.client.close()
