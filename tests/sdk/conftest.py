"""A process with a client or without, whose threads start as before afterwards."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from taskroom import phases, server, threads
from tests.sdk.memory import MemoryClient
from tests.support.clock import Clock


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes between the reports of a phase, and pytest does not ask for exceptions of threads."""
    monkeypatch.setattr(phases, "time", Clock())
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryClient]:
    """The client of the server that the environment names."""
    client = MemoryClient()
    monkeypatch.setenv("TASKROOM_URL", "https://rooms.example")
    monkeypatch.setenv("TASKROOM_KEY", "trk_of_a_test")
    monkeypatch.setattr(server, "_clients", {})
    monkeypatch.setattr(server, "connect", lambda url, key: client)
    monkeypatch.setattr(logging.getLogger(), "level", logging.INFO)
    yield client
    threads.uninstall()


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that knows no server."""
    for name in ("TASKROOM_URL", "TASKROOM_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(server, "_warned", False)
    yield
    threads.uninstall()
