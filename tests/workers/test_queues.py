"""A worker sends messages for steps of any job type, also of those that only other workers have."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from app.db.persistent import PersistentConnection
from app.jobs.packages import Declaration, declare
from app.jobs.types import JobType
from tests.workers.kept import job_of
from workers import registry


@pytest.fixture
def others(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What workers of another kind have declared, for one that has the job types ``mine`` and ``rest``."""
    connect = PersistentConnection(database)
    with connect() as connection, connection.cursor() as cur:
        declare(
            cur, [Declaration("gpu.jobs", [JobType("render", queue="gpu"), JobType("film", queue="none")])]
        )
    connect.close()
    served = SimpleNamespace(database_url=database, celery_queues=("taskroom", "quick", "gpu"))
    own = {"mine": job_of(print, queue="quick"), "rest": job_of(print, queue="none")}
    monkeypatch.setattr(registry, "settings", lambda: served)
    monkeypatch.setattr(registry, "jobs", lambda: own)
    registry._of_all_workers.cache_clear()
    yield
    registry._of_all_workers.cache_clear()


def test_messages_go_to_the_queue_that_whoever_has_the_job_declared(others: None) -> None:
    names = ("mine", "rest", "render", "film", "nobody's")

    assert [registry.queue_of(name) for name in names] == ["quick", None, "gpu", None, "taskroom"]
