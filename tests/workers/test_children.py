"""Processes that a task's code makes: what they report is the task's, and its end is not theirs."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.stream.helpers import sql
from tests.support.system import User
from tests.tasks.helpers import Tasks
from tests.workers.kept import Kept
from workers.leases import Leases
from workers.run import Run

pytestmark = pytest.mark.slow


def messages(user: User, task_id: str) -> list[str]:
    return [line["message"] for line in user.get(f"tasks/{task_id}/logs")["logs"]]


@pytest.mark.parametrize(("way", "code"), [("sys.exit", 7), ("os._exit", 7), ("raise", 1), ("return", 0)])
def test_a_forked_child_reports_and_its_parent_ends_the_task(user: User, way: str, code: int) -> None:
    task_id = user.start("test_fork_leaves", text=way)

    task = user.finished(task_id)["task"]

    assert (task["status"], task["result"]) == ("SUCCESS", code)
    lines = messages(user, task_id)
    assert [lines.count(line) for line in ("parent before", "child", "child prints", "parent after")] == [
        1
    ] * 4
    assert sum("in the child" in line for line in lines) == (way == "raise")


def test_multiprocessing_forks_in_a_task_and_what_it_reports_is_the_tasks(user: User) -> None:
    task_id = user.start("test_processes", text="fork")

    task = user.finished(task_id)["task"]

    assert (task["status"], task["result"]) == (
        "SUCCESS",
        {"pooled": [0, 1, 4], "executed": [9, 16, 25], "code": 0},
    ), task["error"]
    assert sorted(messages(user, task_id)) == [f"square of {n}" for n in range(7)]


def test_a_spawned_process_computes_and_knows_no_task(user: User) -> None:
    task_id = user.start("test_processes", text="spawn")

    task = user.finished(task_id)["task"]

    assert (task["status"], task["result"]) == (
        "SUCCESS",
        {"pooled": [0, 1, 4], "executed": [9, 16, 25], "code": 0},
    ), task["error"]
    assert messages(user, task_id) == []


def test_only_the_process_that_claimed_renews_the_lease(here: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = here.claim(here.create())
    assert claim
    sql(here.database, "UPDATE leases SET missed = 2")
    leases = Leases()
    leases.add(Run(claim, Kept()))  # type: ignore[arg-type]

    def renewed(pid: int) -> Any:
        monkeypatch.setattr(os, "getpid", lambda: pid)
        with here.of_any_thread() as tx:
            leases.renew(tx)
        return tx.appended.events, here.leases()[claim.task_id]

    mine = os.getpid()
    assert renewed(mine + 1) == ([], (1, 2)), "a forked child"
    assert renewed(mine) == ([], (1, 0))


def test_a_forked_child_hears_of_a_cancel_by_itself(here: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = here.claim(here.create())
    assert claim
    run, leases = Run(claim, Kept()), Leases()  # type: ignore[arg-type]
    leases.add(run)
    here.cancel(claim.task_id)
    monkeypatch.setattr(run, "pid", run.pid + 1)

    with here.transaction() as tx:
        leases.renew(tx)

    assert run.forked and run.cancelled
