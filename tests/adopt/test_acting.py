"""What a user does with the tasks of a Celery project: cancel, start again, look at the workers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.adopt.conftest import MakeProject
from tests.adopt.project import Page, Project
from tests.support.system import User, wait_for

pytestmark = pytest.mark.slow

POOLS = ["prefork", "threads", "gevent", "solo"]


def send(project: Project, call: str) -> str:
    (task_id,) = project.run(f"import lasting; print(lasting.{call}.id)")
    return task_id


@pytest.mark.parametrize("pool", POOLS)
def test_a_user_cancels_a_task_and_sees_its_worker(
    adopt: MakeProject, page: Page, user: User, pool: str
) -> None:
    project = adopt("lasting", "lasting")
    with project.worker("--concurrency", "2", "--pool", pool) as worker:
        one = send(project, "loop.delay('a')")
        wait_for("progress", lambda: page.known(one) and page.phases(one))
        runs = wait_for("the worker with its task", lambda: _worker(user, one))

        assert user.client.post(f"/api/v2/tasks/{one}/cancel").status_code == 202
        page.ended(one, "REVOKED")

        two = send(project, "talk.delay(3, 0)")
        page.ended(two, "SUCCESS")

    assert (runs["name"], runs["pid"], runs["pool"]) == ("one@adopt", worker.pid, pool)
    assert (runs["host"], runs["queues"]) == (os.uname().nodename, [project.queue])
    ((phase, _, count, _),) = page.phases(one)
    assert phase == "looping" and count and count > 0
    assert page.statuses(one) == ["PENDING", "STARTED", "REVOKED"]  # autoretry_for does not see it
    assert page.lines(two) == ["line 0", "line 1", "line 2"]


def test_a_user_cancels_a_task_that_waits(adopt: MakeProject, page: Page, user: User) -> None:
    project = adopt("lasting", "lasting")
    one = send(project, "loop.delay('a')")
    page.waits_for(one, "PENDING")

    assert user.client.post(f"/api/v2/tasks/{one}/cancel").status_code == 202
    page.ended(one, "REVOKED")

    with project.worker("--concurrency", "1"):
        page.ended(send(project, "talk.delay(1, 0)"), "SUCCESS")  # the worker is free again
    assert page.statuses(one) == ["PENDING", "REVOKED"]
    assert page.phases(one) == []


def test_a_user_starts_a_task_again(adopt: MakeProject, page: Page, user: User, tmp_path: Path) -> None:
    project = adopt("lasting", "lasting")
    with project.worker("--concurrency", "1"):
        one = send(project, f"once.delay('{tmp_path}/marker')")
        failed = page.ended(one, "FAILURE")

        assert user.client.post(f"/api/v2/tasks/{one}/retry").status_code == 202
        (again,) = wait_for("the next run", lambda: page.retries_of(one))
        task = page.ended(again, "SUCCESS")

    assert failed["can_retry"] is True
    assert (task["result"], task["params"]) == ("the second time", failed["params"])
    assert page.user.status(one)["task"]["status"] == "FAILURE"


def test_of_children_that_run_one_task_each_all_lines_arrive(adopt: MakeProject, page: Page) -> None:
    project = adopt("lasting", "lasting")
    with project.worker("--concurrency", "1", "--max-tasks-per-child", "1"):
        ids = project.run("import lasting\nfor _ in range(3): print(lasting.talk.delay(5, 0).id)")
        tasks = [page.ended(one, "SUCCESS") for one in ids]

    assert len({task["worker"] for task in tasks}) == 3  # each in a process of its own
    assert [page.lines(one) for one in ids] == [[f"line {n}" for n in range(5)]] * 3


def _worker(user: User, task_id: str) -> dict[str, Any] | None:
    """The worker that runs the task, once it says so."""
    workers = user.get("workers")["workers"]
    return next((worker for worker in workers if task_id in worker["running"]), None)
