"""A worker sends messages for steps of any job type, also of those that only other workers have."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from app.db.pool import Single
from app.jobs.packages import Declaration, declare
from app.jobs.types import JobType
from tests.workers.kept import job_of
from workers import queues


@pytest.fixture
def others(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What workers of another kind have declared, for one that has the job types ``mine`` and ``rest``."""
    connect = Single(database)
    with connect() as connection, connection.cursor() as cur:
        declare(
            cur, [Declaration("gpu.jobs", [JobType("render", queue="gpu"), JobType("film", queue="none")])]
        )
    connect.close()
    served = SimpleNamespace(database_url=database, celery_queues=("taskroom", "quick", "gpu"))
    own = {"mine": job_of(print, queue="quick"), "rest": job_of(print, queue="none")}
    monkeypatch.setattr(queues, "settings", lambda: served)
    monkeypatch.setattr(queues, "jobs", lambda: own)
    queues._declared.cache_clear()
    yield
    queues._declared.cache_clear()


def test_messages_go_to_the_queue_that_whoever_has_the_job_declared(others: None) -> None:
    names = ("mine", "rest", "render", "film", "nobody's")

    assert [queues.queue_of(name) for name in names] == ["quick", None, "gpu", None, "taskroom"]
