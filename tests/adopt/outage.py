"""Tasks of a Celery project while parts of it are killed and the server is away."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.adopt.project import Page, Project
from tests.support.system import wait_for

TASKS, LINES = 20, 500
SENDER = """
import sys, time, lasting
for _ in range({tasks}):
    print(lasting.talk.delay({lines}, {pause}).id, flush=True)
time.sleep(3600)
"""

Fault = Callable[[], None]


class Outage:
    """So many tasks of so many lines, in two workers with two children each; a process that sends them."""

    def __init__(
        self, project: Project, page: Page, pause: float, tasks: int = TASKS, lines: int = LINES
    ) -> None:
        self.project, self.page = project, page
        self._tasks, self._lines = tasks, lines
        self.ids: list[str] = []
        self._pause = pause
        self._stack = ExitStack()

    @contextmanager
    def running(self) -> Iterator[None]:
        with self._stack:
            enter = self._stack.enter_context
            self.workers = [
                enter(self.project.worker("--concurrency", "2", name=name)) for name in ("one", "two")
            ]
            program = SENDER.format(tasks=self._tasks, lines=self._lines, pause=self._pause)
            self.sender = enter(self.project.web("-c", program))
            sent = wait_for(
                "all to be sent", lambda: len(ids := self.project.log("web").split()) == self._tasks and ids
            )
            self.ids = list(sent)
            yield

    def kill_child(self) -> str:
        """Kills the process of a task that runs in the first worker; returns the task's id."""
        ((task_id, pid),) = wait_for("a task in the first worker", lambda: self._running("one")[:1])
        os.kill(pid, signal.SIGKILL)
        return task_id

    def kill_worker(self) -> list[str]:
        """Kills the second worker with its children; returns the ids of the tasks that ran in it."""
        found = wait_for(
            "two tasks in the second worker", lambda: len(now := self._running("two")) == 2 and now
        )
        self.workers[1].kill()
        self.workers[1].wait(60)
        return [task_id for task_id, _ in found]

    def kill_sender(self) -> None:
        self.sender.kill()
        self.sender.wait(60)

    def check(self, killed: set[str], seconds: float) -> None:
        """Waits for all ends. Each task that lived on has all of its lines once, in order; each one that was killed
        has an end, and the lines that arrived are in order, without a gap before the last."""
        limit = time.monotonic() + seconds
        ended = {}
        for task_id in self.ids:
            status = "FAILURE" if task_id in killed else "SUCCESS"
            ended[task_id] = self.page.ended(task_id, status, max(1.0, limit - time.monotonic()))
        expected = [f"line {n}" for n in range(self._lines)]
        for task_id, task in ended.items():
            lines = [line for line in self.page.lines(task_id) if line.startswith("line ")]
            if task_id in killed:
                assert task["error"]["type"] in ("WorkerLostError", "WorkerLost"), task["error"]
                assert lines == expected[: len(lines)]
            else:
                assert lines == expected, (task_id, len(lines))
                assert task["result"] == self._lines

    def _running(self, worker: str) -> list[tuple[str, int]]:
        """The tasks that run in a worker, and their processes: only when all of them go on for a while."""
        found = []
        for task_id in self.ids:
            task = self._task(task_id)
            if task and task["status"] == "STARTED" and _is_of(task, worker):
                if not 20 < len(self.page.lines(task_id)) < self._lines // 2:
                    return []
                found.append((task_id, int(task["worker"].rpartition("/")[2])))
        return found

    def _task(self, task_id: str) -> dict[str, str] | None:
        response = self.page.user.client.get(f"/api/v2/tasks/{task_id}/status")
        return response.json()["task"] if response.status_code == 200 else None


def _is_of(task: dict[str, str], worker: str) -> bool:
    return bool(task["worker"]) and task["worker"].startswith(f"{worker}@")


def spool_is_empty(folder: Path) -> bool:
    return not list(folder.glob("*.spool"))
