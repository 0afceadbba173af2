"""``taskroom celery``: tasks of workers with -E, whose project was not changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from taskroom.cli.celery_events import Observer
from tests.sdk.cli import stranger
from tests.sdk.cli.command import Command
from tests.sdk.cli.runs import the_run
from tests.sdk.memory import MemoryClient
from tests.support.system import ROOT, User, wait_for

MODULE = "tests.sdk.cli.stranger"


@contextmanager
def worker(broker: str, log: Path) -> Iterator[None]:
    """A worker of the project, whose events are on."""
    command = [sys.executable, "-m", "celery", "-A", f"{MODULE}:app", "worker", "-E", "--concurrency", "1"]
    env = Command(None, None, log).of(STRANGER_BROKER=broker).env
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True
        ) as process,
    ):
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def observed(taskroom: Command, other_redis_url: str, tmp_path: Path) -> Iterator[None]:
    """A worker, and the command that reads its events."""
    stranger.app.conf.broker_url = other_redis_url
    with observing(taskroom, other_redis_url), worker(other_redis_url, tmp_path / "worker.log"):
        yield


@contextmanager
def observing(command: Command, broker: str) -> Iterator[None]:
    """The command, from when it misses no event. SIGTERM is its regular end."""
    with command.start("celery", "--broker", broker, "--terminate") as process:
        assert process.stderr
        try:
            assert process.stderr.readline().startswith(b"taskroom: takes the events of redis://")
            yield
        finally:
            process.terminate()
            _, said = process.communicate()
            print(said.decode())  # shown when the test fails
    assert process.returncode == 0


def test_tasks_are_runs_with_their_ids_states_and_parents(observed: None, user: User) -> None:
    failed = stranger.fail.delay("/tmp/x")
    stranger.parent.delay()
    again = stranger.again.delay()

    task = the_run(user, f"{MODULE}.fail")["task"]
    assert (task["task_id"], task["status"]) == (failed.id, "FAILURE")
    assert (task["error"]["type"], task["error"]["message"]) == ("ValueError", "no disk")
    assert task["error"]["traceback"].startswith("Traceback")
    assert task["params"] == {"args": "('/tmp/x',)"}
    assert task["worker"].startswith("celery@")
    parent, child = (the_run(user, f"{MODULE}.{name}")["task"] for name in ("parent", "add"))
    assert (child["parent_id"], child["status"], child["result"]) == (parent["task_id"], "SUCCESS", "3")
    assert child["params"] == {"args": "(1, 2)"}
    retried = the_run(user, f"{MODULE}.again")["task"]
    assert (retried["task_id"], retried["status"], retried["attempt"]) == (again.id, "SUCCESS", 2)


def test_a_cancel_ends_a_task_that_runs(observed: None, user: User) -> None:
    stranger.slow.delay()
    run = the_run(user, f"{MODULE}.slow", ended=False)["task"]["task_id"]
    wait_for("its beginning", lambda: user.status(run)["task"]["status"] == "STARTED")

    user.client.post(f"/api/v2/tasks/{run}/cancel").raise_for_status()

    assert user.finished(run)["task"]["status"] == "REVOKED"


def test_a_task_that_ran_before_is_adopted(
    taskroom: Command, user: User, other_redis_url: str, tmp_path: Path
) -> None:
    stranger.app.conf.broker_url = other_redis_url
    gate = tmp_path / "gate"
    with worker(other_redis_url, tmp_path / "worker.log"):
        sent = stranger.gated.delay(str(gate))
        wait_for("its beginning", Path(f"{gate}.begun").exists)
        with observing(taskroom, other_redis_url):
            before = the_run(user, f"{MODULE}.gated", ended=False)["task"]
            gate.touch()
            after = the_run(user, f"{MODULE}.gated")["task"]

    assert (before["task_id"], before["status"]) == (sent.id, "PENDING")  # how it has begun was not seen
    assert before["params"] == {"args": f"('{gate}',)"}
    assert (after["status"], after["result"]) == ("SUCCESS", "'through'")


def test_a_broker_that_is_not_there(away: Command) -> None:
    done = away("celery", "--broker", str(away.url).replace("http", "redis"))

    assert done.returncode == 2
    assert done.stderr.startswith("taskroom: cannot reach the broker redis://")
    assert done.stderr.endswith("check --broker\n") and done.stderr.count("\n") == 1
    assert (
        away("celery").stderr
        == "taskroom: give the broker of the workers: --broker URL, or CELERY_BROKER_URL\n"
    )


class Beats(MemoryClient):
    def __init__(self) -> None:
        super().__init__()
        self.workers: list[dict[str, Any]] = []

    def worker(self, fields: dict[str, Any]) -> None:
        self.workers.append(fields)

    def attempts(self) -> list[tuple[str | None, str]]:
        return [(attempt, event["status"]) for _, attempt, event in self.events]


@pytest.fixture
def client() -> Beats:
    return Beats()


@pytest.fixture
def revoked() -> list[str]:
    return []


@pytest.fixture
def observer(client: Beats, revoked: list[str]) -> Observer:
    return Observer(client, revoked.append)


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "uuid": "t", "hostname": "celery@here", "timestamp": 1_767_322_800.25, **more}


def test_an_attempt_has_one_name_from_its_beginning_to_its_end(observer: Observer, client: Beats) -> None:
    observer.take(
        event("task-received", name="shop.pay", args="(1,)", kwargs="{}", root_id="t", parent_id="t")
    )
    observer.take(event("task-started"))
    observer.take(event("task-retried", exception="shop.errors.Away('soon')", traceback="Trace"))
    observer.take(event("task-started", timestamp=1_767_322_801.0))
    observer.take(event("task-succeeded", result="'paid'", runtime=0.5))

    task = client.tasks["t"]
    first, second = "1767322800.25-celery@here", "1767322801.0-celery@here"
    assert client.attempts() == [
        (first, "STARTED"),
        (first, "RETRY"),
        (second, "STARTED"),
        (second, "SUCCESS"),
    ]
    assert task["worker"] == "celery@here"
    retry, end = client.events[1][2], client.events[3][2]
    assert retry["error"] == {"type": "Away", "message": "soon", "traceback": "Trace"}
    assert (end["result"], end["execution_time_ms"]) == ("'paid'", 500)
    assert end["timestamp"] == "2026-01-02T03:00:00.250000Z"


def test_what_a_task_is_called_with(observer: Observer, client: Beats) -> None:
    observer.take(
        event(
            "task-sent", name="shop.pay", queue="high", args="(1,)", kwargs="{'api_key': 'x'}", parent_id="p"
        )
    )

    task = client.tasks["t"]
    assert (task["job_type"], task["queue"], task["parent_id"]) == ("shop.pay", "high", "p")
    assert task["params"] == {"args": "(1,)", "kwargs": "[redacted]"}
    assert task["created_at"] == "2026-01-02T03:00:00.250000Z"


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        (event("task-revoked", terminated=True), [(None, "REVOKED")]),
        (event("task-rejected", requeue=False), [(None, "FAILURE")]),
        (event("task-rejected", requeue=True), []),
        (event("task-failed", exception="Odd", traceback=None), [(None, "FAILURE")]),
        (event("task-custom"), []),
        ({"type": "task-succeeded"}, []),
    ],
)
def test_ends_without_a_known_beginning(
    observer: Observer, client: Beats, ends: dict[str, Any], found: list[tuple[None, str]]
) -> None:
    observer.take(ends)

    assert client.attempts() == found


def test_a_worker_keeps_the_tasks_alive_that_it_runs(observer: Observer, client: Beats) -> None:
    observer.take(event("task-started"))
    observer.take(event("task-started", uuid="u", hostname="celery@there"))
    beat = {"type": "worker-heartbeat", "hostname": "celery@here", "pid": 7, "sw_ver": "5.6.0", "freq": 2.0}
    observer.take(beat)
    observer.take({"type": "worker-offline", "hostname": "celery@here"})
    observer.take(beat)

    assert client.workers[0] == {
        "name": "celery@here",
        "host": "here",
        "pid": 7,
        "running": ["t"],
        "versions": {"celery": "5.6.0"},
        "beat_seconds": 2.0,
    }
    assert client.workers[1]["running"] == []


def test_what_was_not_seen_is_asked(observer: Observer, client: Beats) -> None:
    beat = {"type": "worker-heartbeat", "hostname": "celery@here"}
    for task in ("ends-unseen", "ends", "runs"):
        observer.take(event("task-received", uuid=task, name="shop.pay"))
        observer.take(event("task-started", uuid=task))

    observer.before_look()
    observer.take(event("task-succeeded", uuid="ends"))
    observer.take(event("task-received", uuid="begins", name="shop.pay"))
    observer.take(event("task-started", uuid="begins"))
    active = [{"id": task, "name": "shop.pay", "args": "(1,)"} for task in ("runs", "ends", "began-unseen")]
    observer.looked({"celery@here": active, "celery@there": []})
    observer.take(beat)

    assert client.workers[0]["running"] == ["runs", "begins", "began-unseen"]
    assert client.tasks["began-unseen"]["params"] == {"args": "(1,)"}
    observer.take(event("task-succeeded", uuid="began-unseen"))
    assert client.events[-1][:2] == ("began-unseen", None)


def test_only_a_cancel_revokes(observer: Observer, client: Beats, revoked: list[str]) -> None:
    observer.take(event("task-received", name="shop.pay"))

    client.cancel("t", "superseded")
    assert revoked == []
    client.cancel("t")
    assert revoked == ["t"]
