"""What beat starts, as a worker runs it: over the settings of its environment."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.stream.helpers import sql
from tests.support.system import SECRET
from tests.tasks.helpers import Tasks
from workers import runtime
from workers.settings import settings


@pytest.fixture
def housekeeping(
    monkeypatch: pytest.MonkeyPatch, database: str, other_redis_url: str, tmp_path: object
) -> Iterator[ModuleType]:
    given = {"SECRET_KEY": SECRET, "DATABASE_URL": database, "REDIS_URL": other_redis_url}
    for name, value in (given | {"TASKROOM_HOME": str(tmp_path), "TASKROOM_WAITING_DAYS": "7"}).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    before = set(sys.modules)
    yield importlib.import_module("workers.scheduled")
    runtime.close(5)
    for name in {"workers.scheduled", "workers.celery_app"} - before:
        del sys.modules[name]
    settings.cache_clear()


def test_the_retention_ends_what_waited_too_long(database: str, housekeeping: ModuleType) -> None:
    tasks = Tasks(database)
    forgotten, young = tasks.create(), tasks.create()
    sql(
        database,
        """UPDATE tasks SET created_at = now() - interval '8 days', updated_at = NULL WHERE id = %s;
           UPDATE dispatches SET due_at = now() - interval '8 days' WHERE task_id = %s;
           UPDATE events SET payload = replace(payload, '"timestamp":"2', '"timestamp":"1')""",
        *[forgotten] * 2,
    )

    housekeeping.retention.run()

    assert tasks.state(forgotten)["task"]["error"]["type"] == "Expired"
    assert tasks.state(young)["task"]["status"] == "PENDING"
    tasks.connect.close()
