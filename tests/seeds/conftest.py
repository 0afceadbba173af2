"""The clients as they are printed, given an address and a token, and what some tests of theirs take for granted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import appending
from app.database import Single
from app.notifications import create_notification
from app.stream.broker import Publisher
from app.stream.store import Appended
from tests.support.system import System, User

CLIENTS = Path(__file__).parent / "clients"
PLACE = "http://localhost:8000"


def printed(name: str, url: str, user: User, **others: str) -> str:
    """The client, unchanged but for its address, its token and ids that stand for one."""
    text = (CLIENTS / name).read_text().replace(PLACE, url).replace("<token>", user.token)
    for old, new in others.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="package")
def lively(system: System) -> Iterator[str]:
    """The address of a web process that keeps streams alive every second, and that serves nobody but these tests."""
    with system.web(KEEPALIVE_SECONDS="1") as url:
        yield url


@pytest.fixture
def notify(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    """create_notification, in this process, as any process of the project has it."""
    connect, publisher = Single(system.database_url), Publisher(system.redis_url)

    def append(step: Callable[..., Appended]) -> Appended:
        with connect() as connection, connection.cursor() as cur:
            appended = step(cur)
        publisher.publish(appended)
        return appended

    monkeypatch.setattr(appending, "_append", append)
    yield create_notification
    connect.close()
