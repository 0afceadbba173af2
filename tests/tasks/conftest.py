"""Tasks over a real Postgres."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stream.helpers import sql
from tests.support.servers import Servers
from tests.tasks.helpers import Tasks
from tests.tasks.large import FILL


@pytest.fixture
def tasks(database: str) -> Iterator[Tasks]:
    tasks = Tasks(database)
    yield tasks
    tasks.connect.close()


@pytest.fixture(scope="module")
def ten_thousand(servers: Servers) -> Iterator[tuple[str, str]]:
    """The name of a database with ten thousand tasks, counted by ANALYZE, and the user who owns them."""
    with servers.database() as database:
        tasks = Tasks(database)
        sql(database, FILL, tasks.user_id)
        sql(database, "ANALYZE tasks, streams")
        tasks.connect.close()
        yield database.rpartition("/")[2], tasks.user_id


@pytest.fixture
def many(servers: Servers, ten_thousand: tuple[str, str]) -> Iterator[Tasks]:
    """A copy of that database of the test's own."""
    template, user_id = ten_thousand
    with servers.database(template) as database:
        tasks = Tasks(database)
        tasks.user_id = user_id
        yield tasks
        tasks.connect.close()
