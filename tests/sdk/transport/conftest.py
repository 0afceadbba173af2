"""A server, and clients that report to it, each with a spool of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskroom._transport import Client
from taskroom._transport.settings import Limits, Settings
from tests.sdk.transport.helpers import Clock, Reporter
from tests.sdk.transport.server import KEY, Server

MakeClient = Callable[..., Client]
MakeReporter = Callable[..., Reporter]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test writes into the home of the user who runs it, or goes through a proxy of the machine."""
    for name in ("TASKROOM_URL", "TASKROOM_KEY", "TASKROOM_SPOOL", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def make_client(server: Server, spool: Path) -> Iterator[MakeClient]:
    """Makes a client; limits are given by their names."""
    made: list[Client] = []

    def make(
        *, key: str = KEY, url: str = "", folder: Any = spool, starts: bool = True, **more: Any
    ) -> Client:
        clock = {"clock": more.pop("clock")} if "clock" in more else {}
        settings = Settings(url or server.url, key, folder, limits=Limits(**more))
        client = Client(settings=settings, starts=starts, **clock)
        made.append(client)
        return client

    yield make
    server.released.set()
    for client in made:
        client.close(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_reporter(make_client: MakeClient, clock: Clock) -> MakeReporter:
    """Makes a client whose turns the test makes, by a clock of the test's own."""
    return lambda **more: Reporter(make_client(clock=clock, starts=False, **more), clock)


@pytest.fixture
def reporter(make_reporter: MakeReporter) -> Reporter:
    return make_reporter()
