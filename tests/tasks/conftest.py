"""Tasks over a real Postgres."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tasks.helpers import Tasks


@pytest.fixture
def tasks(database: str) -> Iterator[Tasks]:
    tasks = Tasks(database)
    yield tasks
    tasks.connect.close()
