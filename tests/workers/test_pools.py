"""Workers of each pool: tasks that run at once in one process have lines, cancels and leases of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.db.persistent import PersistentConnection
from app.projections import project
from app.stream.transaction import Transactions
from app.tasks.lifecycle import expire_lease
from tests.support.system import ROOT, System, User, wait_for

pytestmark = pytest.mark.slow

CONCURRENCY = 4
several = pytest.mark.parametrize("pooled", ["threads", "gevent"], indirect=True)


@pytest.fixture(scope="module")
def pooled(request: pytest.FixtureRequest, new_system: Callable[[str], System]) -> Iterator[System]:
    """A Taskroom of its own whose worker has the pool that the test names."""
    with new_system(request.param).running(concurrency=CONCURRENCY, pool=request.param) as system:
        yield system


@pytest.fixture
def guest(pooled: System) -> Iterator[User]:
    with pooled.guest() as user:
        yield user


def gated(guest: User, gate: Path, count: int = CONCURRENCY) -> list[str]:
    """Tasks that all run, until the gate is there."""
    tasks = [guest.start("test_gated", gate=str(gate), rate=20) for _ in range(count)]
    for task_id in tasks:
        wait_for("its start", lambda task_id=task_id: guest.status(task_id)["task"]["is_running"])
    return tasks


@pytest.mark.parametrize("pooled", ["solo", "threads", "gevent"], indirect=True)
def test_a_task_runs_in_each_pool_and_is_counted(pooled: System, guest: User) -> None:
    task_id = guest.start("test_logging")

    assert guest.finished(task_id)["task"]["status"] == "SUCCESS"

    messages = [line["message"] for line in guest.get(f"tasks/{task_id}/logs")["logs"]]
    assert {"from logging", "careful", "from a thread", "from print"} <= {*messages}
    counted = 'taskroom_attempts_total{status="SUCCESS"}'
    wait_for("its count", lambda: counted in httpx.get(pooled.worker_metrics).text)


@several
def test_lines_of_tasks_that_run_at_once_go_to_their_own(pooled: System, guest: User, tmp_path: Path) -> None:
    meeting = {"folder": str(tmp_path), "parties": CONCURRENCY}
    tasks = {
        guest.start("test_meeting", text=f"text {n}", **meeting): f"text {n}" for n in range(CONCURRENCY)
    }

    for task_id, text in tasks.items():
        snapshot = guest.finished(task_id)
        lines = [e["data"] for e in guest.events(task_id) if e["type"] == "log"]
        assert snapshot["task"]["status"] == "SUCCESS", snapshot["task"]["error"]
        assert [line["message"] for line in lines] == [text] * snapshot["task"]["result"]
        assert {line["phase"] for line in lines} == {f"phase of {text}"}


@several
def test_a_cancel_ends_its_own_task_and_no_other(pooled: System, guest: User, tmp_path: Path) -> None:
    cancelled, *others = gated(guest, tmp_path / "gate")

    assert guest.client.post(f"/api/v2/tasks/{cancelled}/cancel").status_code == 202
    assert guest.finished(cancelled)["task"]["status"] == "REVOKED"
    (tmp_path / "gate").touch()

    assert [guest.finished(task_id)["task"]["status"] for task_id in others] == ["SUCCESS"] * len(others)


@several
def test_the_leases_of_all_are_renewed(pooled: System, guest: User, tmp_path: Path) -> None:
    tasks = gated(guest, tmp_path / "gate")
    names = pooled.sql("SELECT DISTINCT worker FROM tasks WHERE id = ANY(%s::uuid[])", tasks)
    pooled.sql("UPDATE leases SET missed = 1")

    wait_for("their renewal", lambda: pooled.sql("SELECT count(*), sum(missed) FROM leases") == [(4, 0)])
    (tmp_path / "gate").touch()

    assert len(names) == len(tasks), "each attempt is claimed under a name of its own"
    assert [guest.finished(task_id)["task"]["status"] for task_id in tasks] == ["SUCCESS"] * len(tasks)


@several
def test_one_task_of_several_is_superseded(pooled: System, guest: User, tmp_path: Path) -> None:
    lost, *others = gated(guest, tmp_path / "gate")

    connect = PersistentConnection(pooled.database_url)
    with Transactions(connect, project, lambda appended: None)() as tx:
        expire_lease(tx, lost, 1, retry=False)  # as a round does
    connect.close()
    log = pooled.home / "worker.log"
    wait_for("its own to stop", lambda: f"task {lost}: attempt 1 lost its lease meanwhile" in log.read_text())
    (tmp_path / "gate").touch()

    assert guest.status(lost)["task"]["error"]["type"] == "WorkerLost"
    assert [guest.finished(task_id)["task"]["status"] for task_id in others] == ["SUCCESS"] * len(others)


def test_a_pool_that_runs_no_tasks_is_refused_with_one_line(system: System) -> None:
    command = [sys.executable, "-m", "celery", "-A", "workers.celery_app", "worker", "--pool", "eventlet"]

    done = subprocess.run(
        command, cwd=ROOT, env=system.environment(), capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last == "tasks do not run in this pool: use --pool prefork, solo, threads, gevent"
