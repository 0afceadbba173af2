"""One account for each file here: making one takes longer than most of these tests do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.system import System, User


@pytest.fixture(scope="module")
def user(system: System) -> Iterator[User]:
    user = system.user("global_admin")
    yield user
    user.client.close()


@pytest.fixture(scope="module")
def task(user: User) -> str:
    """A task of that user's, ended."""
    task_id = user.start("test_echo", text="mine")
    user.finished(task_id)
    return task_id
