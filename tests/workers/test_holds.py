"""A queue that is paused and a worker that is drained, at work: what runs goes on, and what waits is claimed later."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.system import System, User, wait_for

pytestmark = pytest.mark.slow
SETTINGS = {"LEASE_ROUND_SECONDS": "1", "WORKER_SPARE_SLOTS": "0"}


@pytest.fixture(scope="module")
def held(new_system: Callable[[str], System]) -> Iterator[System]:
    """With two workers, which each run one task at a time."""
    with new_system("held").running(workers=2, concurrency=1, **SETTINGS) as system:
        system.warm_up()
        yield system


@pytest.fixture
def admin(held: System) -> Iterator[User]:
    with held.guest("global_admin") as admin:
        yield admin


def workers(user: User) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in user.get("workers")["workers"]}


def running(user: User, tmp_path: Path, name: str) -> tuple[str, Path]:
    """Returns a task that runs until the file exists."""
    gate = tmp_path / name
    task_id = user.start("test_gated", gate=str(gate), rate=5)
    wait_for("it to run", lambda: user.status(task_id)["task"]["is_running"])
    return task_id, gate


def worker_of(user: User, task_id: str) -> str:
    return str(user.status(task_id)["task"]["worker"]).partition("/")[0]


def log(held: System) -> str:
    return (held.home / "worker.log").read_text()


def queued(user: User, task_id: str) -> dict[str, Any]:
    return dict(user.get(f"tasks/{task_id}/queued")["queued"])


def test_a_paused_queue_holds_what_waits_and_not_what_runs(held: System, admin: User, tmp_path: Path) -> None:
    runs, gate = running(admin, tmp_path, "gate")
    paused = admin.client.put("/api/v2/queues/taskroom/pause").json()["paused"]
    waits = [admin.start("test_echo", text=str(n)) for n in range(3)]

    gate.touch()
    ended = admin.finished(runs)["task"]["status"]
    for task_id in waits:
        wait_for("its message to be taken", lambda: f"task {task_id}: nothing to claim" in log(held))  # noqa: B023

    assert ended == "SUCCESS"
    assert [admin.status(task_id)["task"]["status"] for task_id in waits] == ["PENDING"] * 3
    assert queued(admin, waits[0]) == {"queue": "taskroom", "reason": "paused", "hold": paused}
    assert admin.client.delete("/api/v2/queues/taskroom/pause").status_code == 204
    assert {admin.finished(task_id)["task"]["status"] for task_id in waits} == {"SUCCESS"}


def test_a_drained_worker_ends_what_it_runs_and_takes_nothing_new(
    held: System, admin: User, tmp_path: Path
) -> None:
    runs, gate = running(admin, tmp_path, "gate")
    drained = worker_of(admin, runs)
    assert admin.client.put(f"/api/v2/workers/{drained}/drain").status_code == 200

    meanwhile = [admin.start("test_echo", text=str(n)) for n in range(4)]
    for task_id in meanwhile:
        admin.finished(task_id)
    wait_for("it to take no messages", lambda: "Canceling queue taskroom" in log(held))
    gate.touch()
    after = [admin.start("test_echo", text=str(n)) for n in range(4)]
    for task_id in [runs, *after]:
        assert admin.finished(task_id)["task"]["status"] == "SUCCESS"

    assert drained not in {worker_of(admin, task_id) for task_id in meanwhile + after}
    assert workers(admin)[drained]["drained"]["by"] == admin.email
    (other,) = workers(admin).keys() - {drained}
    for name in (other, drained):  # the other one is drained, and this one goes on
        send = admin.client.put if name == other else admin.client.delete
        assert send(f"/api/v2/workers/{name}/drain").is_success
    wait_for("it to take messages", lambda: "Started consuming from taskroom" in log(held))
    last = admin.start("test_echo", text="last")
    assert admin.finished(last)["task"]["status"] == "SUCCESS"
    assert worker_of(admin, last) == drained
    admin.client.delete(f"/api/v2/workers/{other}/drain")


def test_a_killed_worker_says_what_was_lost_and_a_drained_one_that_restarts_stays_drained(
    held: System, admin: User, tmp_path: Path
) -> None:
    """The last test of this file, for it ends both workers."""
    runs, _ = running(admin, tmp_path, "gate")
    killed = worker_of(admin, runs)
    (stopped,) = workers(admin).keys() - {killed}
    admin.client.put(f"/api/v2/workers/{stopped}/drain")
    pids = {name: row["pid"] for name, row in workers(admin).items()}

    os.killpg(pids[killed], signal.SIGKILL)
    os.kill(pids[stopped], signal.SIGTERM)
    assert admin.finished(runs)["task"]["error"]["type"] == "WorkerLost"
    waits = admin.start("test_echo", text="x")
    held.start_worker(name=stopped.partition("@")[0], **SETTINGS)
    wait_for("it to be back", lambda: workers(admin)[stopped]["pid"] != pids[stopped])
    rows = workers(admin)
    held.start_worker(**SETTINGS)
    ended = admin.finished(waits)

    assert [row["task_id"] for row in rows[killed]["lost"]] == [runs]
    assert rows[stopped]["lost"] == [] and rows[stopped]["drained"]["by"] == admin.email
    assert worker_of(admin, ended["task"]["task_id"]) not in (killed, stopped)
