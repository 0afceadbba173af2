"""A Celery project of somebody else: its processes, and what a user of Taskroom sees of its tasks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import forks
from tests.support.system import User, wait_for

HERE = Path(__file__).parent
ENDED = ("SUCCESS", "FAILURE", "REVOKED")


@dataclass
class Project:
    """``home`` is the folder of the project, ``app`` what ``celery -A`` gets. ``logs`` is a folder of the test.
    ``forked``: its workers are forks of a process that has imported Celery."""

    home: Path
    app: str
    logs: Path
    broker: str
    url: str
    key: str
    more: dict[str, str] = field(default_factory=dict)
    backend: str = ""  # where results are; with the broker unless it is said
    forked: bool = False
    queue: str = field(default_factory=lambda: f"adopt{uuid.uuid4().hex[:12]}")

    @property
    def environment(self) -> dict[str, str]:
        known = {
            name: value for name, value in os.environ.items() if not name.startswith(("TASKROOM_", "PYTHONW"))
        }
        return {
            **known,
            "TASKROOM_URL": self.url,
            "TASKROOM_KEY": self.key,
            "TASKROOM_SPOOL": str(self.logs / "spool"),
            "BROKER": self.broker,
            "BACKEND": self.backend or (self.broker if self.broker.startswith("redis") else "rpc://"),
            "QUEUE": self.queue,
            "PYTHONPATH": str(self.home),
            **self.more,
        }

    @contextmanager
    def worker(self, *arguments: str, name: str = "one") -> Iterator[subprocess.Popen[bytes]]:
        command = [
            "-m",
            "celery",
            "-A",
            self.app,
            "worker",
            "--loglevel",
            "INFO",
            "--hostname",
            f"{name}@adopt",
        ]
        with self._process(name, [*command, *(arguments or ("--concurrency", "2"))], self.forked) as process:
            wait_for("the worker", lambda: process.poll() is not None or "ready." in self.log(name), 120)
            assert process.poll() is None, self.log(name)
            yield process

    @contextmanager
    def web(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        with self._process("web", list(command)) as process:
            yield process

    def run(self, program: str) -> list[str]:
        """Runs a program of the project; returns the words that it prints."""
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, cwd=self.home, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def log(self, name: str = "one") -> str:
        return (self.logs / f"{name}.log").read_text(errors="replace")

    @contextmanager
    def _process(
        self, name: str, arguments: list[str], forked: bool = False
    ) -> Iterator[subprocess.Popen[bytes]]:
        environment, home = self.environment, self.home
        process: subprocess.Popen[bytes]
        with (self.logs / f"{name}.log").open("ab") as log:
            if forked and "gevent" not in arguments:  # gevent patches before the first import
                process = forks.fork_server(forks.CELERY).start(arguments[1:], environment, log, home)
            else:
                command = [sys.executable, *arguments]
                process = subprocess.Popen(
                    command, cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True
                )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait(60)


@dataclass
class Page:
    """What the pages of a user show, over REST."""

    user: User

    def ended(self, task_id: str, status: str, seconds: float = 120.0) -> dict[str, Any]:
        """Waits for the end of a task that may not be known yet; returns its fields."""

        def end() -> dict[str, Any] | None:
            task = self.known(task_id)
            return task if task and task["status"] in ENDED else None

        task = wait_for(f"the end of {task_id}", end, seconds)
        assert task["status"] == status, task
        return task

    def known(self, task_id: str) -> dict[str, Any] | None:
        """The task's fields, or None while nothing was heard of it."""
        response = self.user.client.get(f"/api/v2/tasks/{task_id}/status")
        task: dict[str, Any] | None = response.json()["task"] if response.status_code == 200 else None
        return task

    def waits_for(self, task_id: str, status: str) -> None:
        """Waits until the task has this status."""
        wait_for(f"{status} of {task_id}", lambda: (task := self.known(task_id)) and task["status"] == status)

    def phases(self, task_id: str) -> list[tuple[str, str, int | None, int | None]]:
        found = self.user.status(task_id)["phases"]
        return [(p["phase_id"], p["status"], p["processed_count"], p["total_count"]) for p in found]

    def lines(self, task_id: str) -> list[str]:
        return [event["data"]["message"] for event in self.user.events(task_id) if event["type"] == "log"]

    def statuses(self, task_id: str) -> list[str]:
        """The statuses in their order, each as long as it lasted once."""
        found = [e["data"]["status"] for e in self.user.events(task_id) if e["type"] == "task_status"]
        return [status for n, status in enumerate(found) if n == 0 or status != found[n - 1]]

    def children(self, task_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.user.get("tasks", parent_id=task_id, limit=100)["tasks"]
        return sorted(found, key=lambda task: task["created_at"])

    def retries_of(self, task_id: str) -> list[str]:
        """The tasks that are another run of this one."""
        found: list[dict[str, Any]] = self.user.get("tasks", limit=100)["tasks"]
        return [task["task_id"] for task in found if task["retry_of"] == task_id]
