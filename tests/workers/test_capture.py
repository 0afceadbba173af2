"""Which records of ``logging`` become lines of the task."""

from __future__ import annotations

import logging

import pytest

from tests.workers.kept import Kept, run_of
from workers import capture, current


@pytest.mark.parametrize(
    "name", ["redis_loader", "taskroom_jobs", "kombucha", "celery.worker_tools", "amqp2", "multiprocessing_x"]
)
def test_a_name_that_only_begins_like_one_of_ours_is_the_tasks(name: str) -> None:
    assert lines_of(name) == [("WARNING", "something", name)]


@pytest.mark.parametrize(
    "name", ["redis", "redis.client", "taskroom", "taskroom.writer", "celery.worker.strategy"]
)
def test_our_own_loggers_are_not(name: str) -> None:
    assert lines_of(name) == []


def lines_of(name: str) -> list[tuple[str, str, str | None]]:
    kept = Kept()
    capture.install()
    with current.running(run_of(kept)):
        logging.getLogger(name).warning("something")
    return kept.lines()
