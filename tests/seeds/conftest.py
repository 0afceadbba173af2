"""The clients as they are printed, given an address and a token, and what some tests of theirs take for granted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
