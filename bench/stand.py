"""The test stand: Postgres, Redis, Taskroom and a publisher on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import jwt
import numpy as np
import psycopg2
from numpy.typing import NDArray

from app.projections import project
from app.stream.transaction import Transaction
from app.tasks import lifecycle
from app.up.home import Home
from bench.publish import Order
from bench.rooms import Room, SocketRoom, SseRoom
from tests.support.embedded import EmbeddedPostgres, EmbeddedRedis
from tests.support.system import ROOT, SECRET, System, User

GRACE_SECONDS = 40.0  # for late events
PUBLISH = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "bench.publish"]
DAY = str(24 * 3600)
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Task:
    """A stream to watch and write. ``head`` is its last sequence."""

    id: str
    head: int

    @property
    def stream(self) -> str:
        return f"task:{self.id}"


class Feed(Task):
    """A user's stream; its id is the user's."""

    @property
    def stream(self) -> str:
        return f"user:{self.id}"


class Publishing:
    """A publisher that waits for ``go``; ``times`` waits for its end."""

    def __init__(self, order: Order, command: list[str], redis_url: str) -> None:
        self.order = order
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "REDIS_URL": redis_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(order.json() + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "ready\n", "the publisher did not start"

    def go(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def times(self) -> tuple[Times, Times]:
        """Returns the times of the calls and commits: a row a stream, in the order of the sequences."""
        assert self._process.wait(120) == 0, "the publisher failed"
        called, committed = (
            np.fromfile(f"{self.order.out}.{kind}", np.int64).reshape(len(self.order.streams), -1)
            for kind in ("called", "committed")
        )
        return called, committed

    def stop(self) -> None:
        if not self.ended:
            self._process.kill()
        self._process.wait()
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()


class Server(Protocol):
    """A compared server. The process ``pid`` and its children are measured."""

    name: str
    wires: tuple[str, ...]
    pid: int

    def task(self) -> Task:
        """Creates a stream to watch and write."""

    def room(self, wire: str, task: Task, number: int = 0) -> Room: ...

    def publisher(self, tasks: list[Task], rate: float, events: int) -> Publishing: ...


class Ours:
    name = "Taskroom"
    wires = ("SSE", "Socket.IO")

    def __init__(self, stand: Stand, url: str, pid: int) -> None:
        self.stand, self.url, self.pid = stand, url, pid
        parts = urlsplit(url)
        self.address = (parts.hostname or "", parts.port or 0)

    def task(self) -> Task:
        return self.stand.task()

    def room(self, wire: str, task: Task, number: int = 0, user: User | None = None) -> Room:
        token = (user or self.stand.user).token
        if wire == "Socket.IO":
            wanted = {"task_id": task.id, "since_sequence": task.head}
            return SocketRoom(self.address, wanted, number, task.head, {"token": token})
        path = f"/api/v2/tasks/{task.id}/stream?since_sequence={task.head}"
        return SseRoom(self.address, path, number, task.head, f"Authorization: Bearer {token}\r\n")

    def publisher(self, tasks: list[Task], rate: float, events: int) -> Publishing:
        settings = {"database_url": self.stand.database_url, "redis_url": self.stand.redis_url}
        return self.stand.publishing("ours", settings, tasks, rate, events)


class Stand:
    def __init__(self, home: Home, postgres: EmbeddedPostgres, redis: EmbeddedRedis) -> None:
        self.home, self.database_url, self.redis_url = home, postgres.url, redis.url
        self.postgres = postgres
        self.system = System(postgres.url, redis.url, home.log, forked=False)
        self._user: User | None = None

    @property
    def user(self) -> User:
        assert self._user, "a user signs in once a web process runs"
        return self._user

    @contextmanager
    def ours(self, **settings: str) -> Iterator[Ours]:
        """Starts a new web process of Taskroom."""
        with self.system.web(ACCESS_TOKEN_SECONDS=DAY, **settings) as url:
            self.system.url = url
            if self._user is None:
                self._user = self.system.user()
            self._user.client.base_url = httpx.URL(url)
            yield Ours(self, url, self.system.processes[-1].pid)

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Starts a Celery worker with two children."""
        process = self.system.start_worker()
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)

    def task(self) -> Task:
        return self.tasks(1)[0]

    def tasks(self, count: int) -> list[Task]:
        """Creates tasks of the user that no worker runs: the publisher writes their events."""
        made = []
        connection = psycopg2.connect(self.database_url)
        try:
            with connection, connection.cursor() as cur:
                for _ in range(count):
                    tx = Transaction(cur, project)
                    task_id = lifecycle.create(
                        tx,
                        user_id=self.user.id,
                        job_type="emit_load",
                        title="Load",
                        intent="execute_command",
                        params={},
                    )
                    made.append(Task(task_id, tx.appended.events[0].sequence))
                # Else the web process would send them to workers again and again.
                cur.execute(
                    "DELETE FROM dispatches WHERE task_id = ANY(%s::uuid[])", ([task.id for task in made],)
                )
        finally:
            connection.close()
        return made

    def users(self, count: int) -> list[User]:
        """Creates signed-in accounts without passwords: so many hashes would take a minute."""
        claims = jwt.decode(self.user.token, options={"verify_signature": False})
        rows = self.system.sql(
            """WITH made AS (INSERT INTO users (email, password_hash, role)
                   SELECT gen_random_uuid()::text || '@example.org', 'none', 'operator' FROM generate_series(1, %s)
                   RETURNING id, email),
               opened AS (INSERT INTO sessions (user_id, expires_at)
                   SELECT id, now() + interval '1 day' FROM made RETURNING id, user_id)
               SELECT made.id::text, email, opened.id::text FROM made JOIN opened ON opened.user_id = made.id""",
            count,
        )
        return [
            User(id, email, self._token(claims | {"sub": id, "email": email, "sid": sid}), self.user.client)
            for id, email, sid in rows
        ]

    def again(self, user: User, **claims: str | None) -> User:
        """Signs the user in again, whose role or tenant has changed."""
        ((session,),) = self.system.sql(
            """INSERT INTO sessions (user_id, expires_at) VALUES (%s, now() + interval '1 day') RETURNING id::text""",
            user.id,
        )
        known = jwt.decode(user.token, options={"verify_signature": False})
        return User(user.id, user.email, self._token(known | claims | {"sid": session}), user.client)

    def _token(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims | {"jti": uuid.uuid4().hex}, SECRET, algorithm="HS256")

    def notifying(self, feeds: list[Feed], rate: float, events: int, writers: int = 1) -> Publishing:
        """Returns a publisher of notifications for these users; ``rate`` is that of all, ``events`` that of each."""
        settings = {"database_url": self.database_url, "redis_url": self.redis_url, "writers": writers}
        return self.publishing("notifications", settings, feeds, rate, events)

    def publishing(
        self,
        sink: str,
        settings: dict[str, Any],
        tasks: Sequence[Task],
        rate: float,
        events: int,
        command: list[str] | None = None,
    ) -> Publishing:
        """Returns a publisher for these streams; ``rate`` is that of all together, ``events`` that of each."""
        streams = [(task.stream, task.head) for task in tasks]
        warm = self.task().stream if sink == "ours" else ""
        out = str(self.home.root / "times")
        limit = events * len(streams) / rate + GRACE_SECONDS
        order = Order(sink, out, streams, rate, events, limit, warm, settings)
        return Publishing(order, command or PUBLISH, self.redis_url)


@contextmanager
def stand() -> Iterator[Stand]:
    with tempfile.TemporaryDirectory(prefix="taskroom-bench-") as folder:
        home = Home.open(Path(folder))
        with EmbeddedPostgres(home) as postgres, EmbeddedRedis(home) as redis:
            made = Stand(home, postgres, redis)
            made.system.migrate()
            try:
                yield made
            finally:
                made.system.stop()


def open_port(port: int) -> bool:
    """Whether a process listens at this loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
