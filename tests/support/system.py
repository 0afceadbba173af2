"""A running Taskroom for tests: real processes, used through their public addresses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx
from argon2 import PasswordHasher

from app.up.embedded import free_port
from tests.support import forks
from tests.support.connections import connection_pool

ROOT = forks.ROOT
PASSWORD = "correct horse battery"
SECRET = "for tests only, for tests only, for tests only"
# The packages of the worker's job types: the shipped ones and those of the tests.
JOBS = "workers.jobs," + ",".join(
    f"tests.support.{name}"
    for name in (
        *("failing_jobs", "form_jobs", "jobs", "gated", "output_jobs", "process_jobs"),
        *("release", "structured_jobs", "thread_jobs"),
    )
)
Value = TypeVar("Value")


def wait_for(what: str, condition: Callable[[], Value], seconds: float = 120.0) -> Value:
    """Calls ``condition`` until its value is true and returns it. An AssertionError names ``what`` after
    ``seconds``."""
    limit, pause = time.monotonic() + seconds, 0.01
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < limit, f"{what}: not within {seconds:.0f} s"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)  # a check by a request takes 4 ms of CPU time


@dataclass(slots=True)
class User:
    """A signed-in account. ``client`` sends the bearer token and no cookies."""

    id: str
    email: str
    token: str
    client: httpx.Client

    def get(self, path: str, **params: Any) -> Any:
        response = self.client.get(f"/api/v2/{path}", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def start(self, job_type: str, **params: Any) -> str:
        response = self.client.post("/api/v2/agent/start", json={"job_type": job_type, "params": params})
        assert response.status_code == 202, response.text
        return str(response.json()["task_id"])

    def status(self, task_id: str) -> Any:
        return self.get(f"tasks/{task_id}/status")

    def finished(self, task_id: str, seconds: float = 120.0) -> Any:
        """Waits for the end of the task and returns its snapshot."""
        return wait_for(
            f"the end of task {task_id}",
            lambda: s if (s := self.status(task_id))["task"]["finished_at"] else None,
            seconds,
        )

    def events(self, task_id: str) -> list[dict[str, Any]]:
        """Returns all events so far, read page by page."""
        found: list[dict[str, Any]] = []
        cursor = 0
        while True:
            page = self.get(f"tasks/{task_id}/events", since_sequence=cursor, limit=1000)
            found += page["events"]
            cursor = page["next_sequence"]
            if not page["has_more"]:
                return found


@dataclass(slots=True)
class System:
    """A web process and a worker with their own database. ``forked``: they are forks of a process that has imported
    what they need; a benchmark starts them as users do."""

    database_url: str
    redis_url: str
    home: Path
    url: str = ""
    worker_metrics: str = ""  # a URL
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    forked: bool = True

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"},
            "TASKROOM_ENV": "embedded",
            "SECRET_KEY": SECRET,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "TASKROOM_HOME": str(self.home),
            "TASKROOM_BENCH": "1",
            "TASKROOM_JOBS": JOBS,
            **more,
        }

    def migrate(self, **more: str) -> None:
        """Creates the tables and declares the job types like a worker, so that no test waits for one."""
        for step in (("app.cli", "migrate"), ("tests.support.declared",)):
            done = forks.run(step, self.environment(**more), self.home)
            if done.returncode:
                raise RuntimeError(f"{step[0]} failed: {done.stderr}")

    def start_worker(
        self, concurrency: int = 2, pool: str = "prefork", name: str = "", **more: str
    ) -> subprocess.Popen[bytes]:
        return self._spawn(
            "worker",
            ["celery", "-A", "workers.celery_app", "worker"]
            + ["--pool", pool, "--concurrency", str(concurrency)]
            + ["--loglevel", "INFO", "--queues", "taskroom,quick"]
            + ["--without-gossip", "--without-mingle", "--hostname", f"{name or uuid.uuid4().hex}@%h"],
            self.environment(**more),
        )

    @contextmanager
    def web(self, **more: str) -> Iterator[str]:
        """Starts another web process with the same database and other settings; yields its URL."""
        port = int(more.pop("PORT", 0)) or free_port()
        process = self._spawn(f"web-{port}", ["tests.support.web"], self.environment(PORT=str(port), **more))
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for("the web process", lambda: process.poll() is not None or _ready(url), 120)
            assert process.poll() is None, (self.home / f"web-{port}.log").read_text()[-2000:]
            yield url
        finally:
            self._end(process)

    @contextmanager
    def running(
        self, workers: int = 1, concurrency: int = 2, pool: str = "prefork", **more: str
    ) -> Iterator[System]:
        """Starts workers and a web process; ends all processes afterwards. ``url`` and ``worker_metrics`` are set."""
        try:
            for _ in range(workers):
                port = free_port()
                self.worker_metrics = f"http://127.0.0.1:{port}/metrics"
                self.start_worker(concurrency, pool, WORKER_METRICS_PORT=str(port), **more)
            with self.web(**more) as self.url:
                yield self
        finally:
            self.stop()

    def warm_up(self) -> None:
        """Waits until a worker has run a task."""
        with self.guest() as user:
            user.finished(user.start("test_echo", text="warm"), 60)

    def sign_in(self, email: str, url: str = "") -> httpx.Client:
        client = httpx.Client(base_url=url or self.url, timeout=30)
        response = client.post("/api/v2/auth/login", json={"email": email, "password": PASSWORD})
        assert response.status_code == 200, response.text
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        return client

    def user(self, role: str = "operator", tenant: str | None = None, email: str = "") -> User:
        """Creates an account and signs it in."""
        email = email or f"{uuid.uuid4().hex}@example.org"
        user_id = self.sql(
            "INSERT INTO users (email, password_hash, role, tenant) VALUES (%s, %s, %s, %s) RETURNING id::text",
            *(email, _hashed(), role, tenant),
        )[0][0]
        client = self.sign_in(email)
        return User(user_id, email, client.headers["Authorization"].removeprefix("Bearer "), client)

    @contextmanager
    def guest(self, role: str = "operator") -> Iterator[User]:
        """Creates an account and signs it in; cancels its tasks at the end: a failed test must not keep the worker's
        two processes busy during later tests."""
        user = self.user(role)
        try:
            yield user
        finally:
            self.sql(
                """UPDATE streams SET cancel_requested = true FROM tasks
                   WHERE user_id = %s AND finished_at IS NULL AND name = 'task:' || tasks.id AND NOT closed""",
                user.id,
            )
            user.client.close()

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with connection_pool.transaction(self.database_url) as connection, connection.cursor() as cur:
            cur.execute(statement, values)
            return cur.fetchall() if cur.description else []

    def stop(self) -> None:
        for process in reversed(self.processes):
            self._end(process)

    def _spawn(self, name: str, program: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.home / f"{name}.log").open("ab") as log:
            if self.forked and "gevent" not in program:  # gevent patches before the first import
                modules = forks.WORKER if program[0] == "celery" else forks.WEB
                process: subprocess.Popen[bytes] = forks.fork_server(modules).start(program, env, log)
            else:
                command = [sys.executable, "-m", *program]
                process = subprocess.Popen(
                    command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
                )
        self.processes.append(process)
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(60)
        if process in self.processes:
            self.processes.remove(process)


@cache
def _hashed() -> str:
    """Returns a hash that is cheap to verify: with the product's parameters each sign-in would take 64 MB and 0.1 s,
    which would disturb other tests."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
