"""Workers that die, and one that only seems to: each task ends once, and nobody writes after its end."""

from __future__ import annotations

import os
import signal
import time

from celery import Celery

from tests.outages.conftest import World
from tests.outages.viewers import saw_everything, watching
from tests.support.accepted import wait_accepted
from tests.support.processes import suspended
from tests.support.system import User, wait_for

LOST_SECONDS = 90  # four rounds of three seconds and the one before them, and much room for a busy machine


def child_of(user: User, task_id: str) -> int:
    """The process that runs the task."""
    worker = wait_for("the task to run", lambda: user.status(task_id)["task"]["worker"], 60)
    return int(worker.rpartition("/")[2])


def lost(user: User, task_id: str, since: float) -> None:
    task = user.finished(task_id, LOST_SECONDS)["task"]
    print(f"WorkerLost after {time.monotonic() - since:.1f} s")
    assert (task["status"], task["error"]["type"]) == ("FAILURE", "WorkerLost")
    assert [e["data"]["finished_at"] for e in user.events(task_id) if e["data"].get("finished_at")] == [
        task["finished_at"]
    ]


def test_of_four_tasks_those_whose_process_was_lost_end_and_the_healthy_one_does_not(
    without_worker: World, user: User
) -> None:
    system = without_worker.system
    worker = without_worker.start_worker(concurrency=5)
    killed, zombie, healthy = (user.start("test_endless") for _ in range(3))
    retried = user.start("test_second_try")
    steps = [{"job_type": "test_endless", "on_failure": "continue"}, {"job_type": "test_echo"}]
    parent = user.start("orchestrate", steps=steps)
    step = wait_for("the step", lambda: user.get("tasks", parent_id=parent)["tasks"])[0]["task_id"]
    children = {task_id: child_of(user, task_id) for task_id in (killed, zombie, healthy, retried, step)}
    with watching(system.url, user, killed) as viewers, suspended(children[zombie]):
        since = time.monotonic()
        os.kill(children[killed], signal.SIGKILL)
        os.kill(children[retried], signal.SIGKILL)
        os.kill(children[step], signal.SIGKILL)
        lost(user, killed, since)
        lost(user, zombie, since)
        lost(user, step, since)
        assert user.finished(parent, LOST_SECONDS)["task"]["status"] == "SUCCESS", "its next step was started"
        saw_everything(viewers, user, killed, "FAILURE")
        again = user.finished(retried, 120)["task"]
        assert (again["status"], again["result"], again["retry_count"]) == ("SUCCESS", "at last", 1)
        before = user.events(zombie)

    # It goes on as if nothing had been, and learns from what it writes that its lease was lost.
    log = system.home / "worker.log"
    wait_for("the zombie to give up", lambda: f"task {zombie}: attempt 1 lost its lease" in log.read_text())
    assert user.events(zombie) == before
    os.kill(children[zombie], 0)  # it lives, and takes the next task
    assert user.status(healthy)["task"]["status"] == "STARTED"

    os.killpg(worker.pid, signal.SIGKILL)
    since = time.monotonic()
    worker.wait(60)
    waits = user.start("test_echo")
    lost(user, healthy, since)
    without_worker.worker = without_worker.start_worker()  # the next test's too
    assert user.finished(waits, 120)["task"]["status"] == "SUCCESS"


def test_a_worker_that_is_shut_down_cold_ends_its_tasks_or_hands_them_back(
    without_worker: World, user: User
) -> None:
    system = without_worker.system
    worker = without_worker.start_worker(concurrency=2)
    endless, again = user.start("test_endless"), user.start("test_second_try")
    for task_id in (endless, again):
        child_of(user, task_id)
    with Celery(broker=system.redis_url, set_as_current=False) as sender:
        wait_accepted(sender.control, 2)

    log = system.home / "worker.log"
    before = log.read_text().count("Warm shutdown")
    since = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    wait_for(
        "the warm one, which waits for its tasks", lambda: log.read_text().count("Warm shutdown") > before
    )
    worker.send_signal(signal.SIGQUIT)
    worker.wait(60)
    print(f"a cold shutdown took {time.monotonic() - since:.1f} s")

    task = user.status(endless)["task"]
    assert (task["status"], task["error"]["type"]) == ("FAILURE", "WorkerLost")
    assert "shut down" in task["error"]["message"]
    assert user.status(again)["task"]["status"] == "RETRY"
    without_worker.worker = without_worker.start_worker()
    assert user.finished(again, 120)["task"]["result"] == "at last"
