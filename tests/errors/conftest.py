"""A scene for each test, with the tables that the errors need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.stream import writer as writers
from tests.errors.scene import Scene
from tests.errors.sessions import TABLES


@pytest.fixture
def scene(database: str) -> Iterator[Scene]:
    scene = Scene(database)
    scene.sql(TABLES)
    yield scene
    scene.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that tries again after milliseconds."""
    monkeypatch.setattr(writers, "RETRY_SECONDS", (0.001, 0.002))
