"""A Celery project of the tests with its workers: real processes, whose reports go into one file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from celery import Celery

from tests.instrument.recorder import FILE
from tests.support import forks
from tests.support.system import ROOT, wait_for

PROJECT = "tests.instrument.project"
ENDS = ("SUCCESS", "FAILURE", "REVOKED")
Said = dict[str, Any]


def task(name: str) -> str:
    """The whole name of a task of the project."""
    return f"{PROJECT}.{name}"


@dataclass
class Shop:
    """``settings`` are those of the Celery application, ``options`` those of ``instrument``."""

    folder: Path
    broker: str
    backend: str
    options: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    queue: str = field(default_factory=lambda: f"q{uuid.uuid4().hex[:12]}")
    python: str = sys.executable
    pid: int = 0  # of the worker that was started last

    def __post_init__(self) -> None:
        self.sender = Celery("sender", broker=self.broker, backend=self.backend, set_as_current=False)
        self.sender.conf.task_default_queue = self.queue

    @property
    def environment(self) -> dict[str, str]:
        settings = {f"CELERY_C_{name.upper()}": repr(value) for name, value in self.settings.items()}
        known = {name: value for name, value in os.environ.items() if not name.startswith("TASKROOM_")}
        return {
            **{name: value for name, value in known.items() if name != "PYTHONWARNINGS"},
            **settings,
            "RECORD": str(self.folder),
            "BROKER": self.broker,
            "BACKEND": self.backend,
            "QUEUE": self.queue,
            "OPTIONS": repr(self.options),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'sdk'}",
        }

    @contextmanager
    def worker(
        self, pool: str = "prefork", *arguments: str, name: str = "one", concurrency: int = 2
    ) -> Iterator[Any]:
        """Runs a worker, and ends it with the block. Yields its process, once it takes tasks."""
        program = ["celery", "-A", PROJECT, "worker", "--pool", pool, "--without-mingle", *arguments]
        program += ["--concurrency", str(concurrency), "--loglevel", "INFO", "--hostname", self.host(name)]
        with (self.folder / f"{name}.log").open("ab") as log:
            process = self._start(program, log)
        try:
            wait_for(f"the worker {name}", lambda: process.poll() is not None or self.beats(name))
            assert process.poll() is None, self.log(name)
            self.pid = process.pid
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait(60)

    def _start(self, program: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        if (
            self.python == sys.executable and "gevent" not in program
        ):  # gevent patches before the first import
            return forks.fork_server(forks.CELERY).start(program, self.environment, log)
        command = [self.python, "-m", *program]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def log(self, name: str = "one") -> str:
        return (self.folder / f"{name}.log").read_text()

    def run(self, program: str) -> list[str]:
        """Runs a program of the project, such as its web process; returns the lines that it prints."""
        code = f"from tests.instrument.project import *\nfrom celery import chain, chord, group\n{program}"
        done = subprocess.run(
            [self.python, "-c", code], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def send(self, name: str, *args: Any, **options: Any) -> str:
        """Sends a task from a process that reports nothing; returns its id."""
        return str(self.sender.send_task(task(name), args, **options).id)

    def signature(self, name: str, *args: Any, **options: Any) -> Any:
        return self.sender.signature(task(name), args, **options)

    def said(self, *kinds: str) -> list[Said]:
        """What all processes have reported so far, in its order; of these kinds, or of all."""
        path = self.folder / FILE
        lines = (
            path.read_text().split("\n")[:-1] if path.exists() else []
        )  # the last one may be in the making
        return [one for line in lines if not kinds or (one := json.loads(line))["kind"] in kinds]

    def of(self, task_id: str) -> list[Said]:
        return [one for one in self.said("task", "event") if one["task_id"] == task_id]

    def events(self, task_id: str, *types: str) -> list[Said]:
        found = [one["event"] for one in self.of(task_id) if one["kind"] == "event"]
        return [event for event in found if not types or event["type"] in types]

    def statuses(self, task_id: str) -> list[str]:
        """The statuses of a task, without those that tell of a phase."""
        return [e["status"] for e in self.events(task_id, "task_status") if "current_phase" not in e]

    def lines(self, task_id: str) -> list[str]:
        return [event["message"] for event in self.events(task_id, "log")]

    def fields(self, task_id: str) -> dict[str, Any]:
        """All that was said of a task; what came later counts."""
        found: dict[str, Any] = {}
        for one in self.of(task_id):
            if one["kind"] == "task":
                found |= {name: value for name, value in one["fields"].items() if value is not None}
        return found

    def attempts(self, task_id: str) -> list[str]:
        """The names of the attempts, in the order in which they began."""
        names = [one["attempt"] for one in self.of(task_id) if one["attempt"]]
        return list(dict.fromkeys(names))

    def ended(self, task_id: str, status: str | None = None) -> Said:
        """Waits for the end of a task, and returns the event that says it."""

        def end() -> Said | None:
            ends = [e for e in self.events(task_id, "task_status") if e["status"] in ENDS]
            return ends[0] if ends else None

        found = wait_for(f"the end of {task_id}", end)
        assert status is None or found["status"] == status, found
        return found

    def has_line(self, task_id: str, line: str) -> None:
        """Waits until the task has a line with this text in it."""
        wait_for(f"the line {line}", lambda: any(line in each for each in self.lines(task_id)))

    def host(self, name: str = "one") -> str:
        """Celery's name of a worker, unlike that of any other of the same broker."""
        return f"{name}@{self.queue}"

    def beats(self, name: str = "one") -> list[Said]:
        beats = [one["fields"] for one in self.said("worker")]
        return [beat for beat in beats if beat["name"] == self.host(name)]

    def allow(self, name: str) -> None:
        """Lets tasks go on that wait for this file."""
        (self.folder / name).touch()

    def resend(self, task_id: str, pid: int | None = None) -> None:
        """Lets a worker hear that the task is wanted again: the one of this process, or any."""
        path = self.folder / "wish"
        path.write_text(str(pid or ""))
        path.rename(self.folder / f"resend-{task_id}")

    def cancel(self, task_id: str, why: str = "cancelled") -> None:
        """Does what an answer of the server does, with the next report of the task."""
        path = self.folder / "answer"
        path.write_text(why)
        path.rename(self.folder / f"cancel-{task_id}")

    def forget_cancel(self, task_id: str) -> None:
        """No later answer says it."""
        (self.folder / f"cancel-{task_id}").unlink()
