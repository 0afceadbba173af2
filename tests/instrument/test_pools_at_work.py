"""How tasks are stopped, and what a worker says of itself, whichever pool of Celery it has."""

from __future__ import annotations

import os

import pytest

from tests.instrument.conftest import pool_of, runs_at_once
from tests.instrument.shop import Shop
from tests.support.system import wait_for

pytestmark = pytest.mark.slow


def test_a_cancelled_task_ends_at_its_next_report_and_is_not_tried_again(pooled: Shop) -> None:
    one = pooled.send("cancelled")
    pooled.has_line(one, "line 0")

    pooled.cancel(one)
    pooled.ended(one, "REVOKED")

    assert pooled.sender.AsyncResult(one).state == "REVOKED"
    two = pooled.send("add", 1, 1)  # the worker takes the next task
    pooled.ended(two, "SUCCESS")
    assert pooled.statuses(one) == ["STARTED", "REVOKED"]


def test_a_task_of_which_another_attempt_runs_stops_without_an_end(pooled: Shop) -> None:
    one = pooled.send("cancelled")
    pooled.has_line(one, "line 0")

    pooled.cancel(one, "superseded")
    two = pooled.send("add", 1, 1)
    pooled.ended(two, "SUCCESS")

    wait = pooled.sender.send_task("tests.instrument.project.add", (2, 2))
    pooled.ended(str(wait.id), "SUCCESS")
    assert pooled.statuses(one) == ["STARTED"]


def test_what_celery_calls_around_a_cancelled_task_is_not_cut(pooled: Shop) -> None:
    one = pooled.send("careless")
    pooled.has_line(one, "begun")

    pooled.cancel(one)
    pooled.allow(f"go-{one}")
    pooled.ended(one, "SUCCESS")  # it has reported nothing after the cancel, but for what comes after its end

    assert pooled.lines(one) == ["begun", "in on_success", "in after_return"]
    assert pooled.ended(pooled.send("add", 1, 1), "SUCCESS")["result"] == 2


def test_a_task_that_is_cancelled_before_it_begins_is_not_run(pooled: Shop) -> None:
    one = "7d9a1b7e-7c61-4f0e-9a55-16c2d0d1a8f1"
    pooled.cancel(one)

    pooled.send("talk", task_id=one)
    result = pooled.sender.AsyncResult(one)
    wait_for("the end in Celery", lambda: result.state == "REVOKED")

    assert pooled.lines(one) == []


def test_tasks_beside_each_other_have_their_own_lines(pooled: Shop) -> None:
    ids = [pooled.send("waits", "go-beside") for _ in range(runs_at_once(pooled))]
    for one in ids:
        pooled.has_line(one, "waiting")
    pooled.allow("go-beside")
    for one in ids:
        pooled.ended(one, "SUCCESS")

    for one in ids:
        first, last = pooled.lines(one)
        assert first.endswith(one) and last == "went on"


@pytest.mark.parametrize("pooled", ["gevent"], indirect=True)
def test_a_task_in_a_greenlet_is_revoked(pooled: Shop) -> None:
    (can,) = pooled.run(
        "from celery.concurrency.gevent import TaskPool\nprint('terminate_job' in vars(TaskPool))"
    )
    one = pooled.send("waits", "go-greenlet")
    pooled.has_line(one, "waiting")

    pooled.sender.control.revoke(one, terminate=True)
    if can == "False":  # Celery 5.3 answers that it cannot, and the task goes on
        pooled.allow("go-greenlet")

    pooled.ended(one, "REVOKED" if can == "True" else "SUCCESS")


def test_a_worker_says_what_it_is_and_runs(pooled: Shop) -> None:
    versions = pooled.run(
        "import celery, kombu, platform\nprint(platform.python_version())\n"
        "print(celery.__version__)\nprint(kombu.__version__)"
    )
    one = pooled.send("waits", "go-beat")
    running = wait_for(
        "a beat with the task", lambda: [beat for beat in pooled.beats() if one in beat["running"]]
    )[0]
    pooled.allow("go-beat")
    pooled.ended(one, "SUCCESS")

    memory = running.pop("memory_bytes")
    assert 20_000_000 < memory < 2_000_000_000
    assert running == {
        "name": pooled.host(),
        "host": os.uname().nodename,
        "pid": pooled.pid,
        "pool": pool_of(pooled),
        "slots": runs_at_once(pooled),
        "queues": [pooled.queue],
        "running": [one],
        "waiting": [],
        "versions": dict(zip(("python", "celery", "kombu"), versions, strict=True)),
        "beat_seconds": 0.5,  # those of the tests
    }
