"""A real installation, started by the real supervisor, with its own folder, port and nginx."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psycopg2

from app.up import survivors
from app.up.embedded import free_port
from app.up.home import Home
from app.up.rights import child_setup
from bench import proc
from tests.faults.checker import Stored
from tests.support.system import JOBS, ROOT, User, wait_for

WEBS = ("web-1", "web-2")
PARTS = ("postgres", "redis", "nginx", *WEBS, "worker", "beat")
WORKER_CONCURRENCY = 2
WORKER_CHILDREN = WORKER_CONCURRENCY + 1  # one is spare
START_SECONDS = 120.0
WHOLE_SECONDS = 120.0
PASSWORD = "correct horse battery"
SETTINGS = {
    "WEB_PROCESSES": str(len(WEBS)),
    "WORKER_CONCURRENCY": str(WORKER_CONCURRENCY),
    "TASKROOM_BENCH": "1",
    "TASKROOM_JOBS": JOBS,
    "TASKROOM_DEMO_RUN": "0",
    "DEMO_PASSWORD": PASSWORD,
    "ACCESS_TOKEN_SECONDS": str(24 * 3600),
    "STREAMS_PER_USER": "100000",
}


class Taskroom:
    """Starts on entry and ends on exit. Its own supervisor restarts processes that exit."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.home = Home.open(folder / "home")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.user: User
        self.database_url = ""
        self._settings = SETTINGS | settings
        self._output = folder / "up.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        inherited = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "HOST")}
        with self._output.open("wb") as output:
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.up"],
                cwd=ROOT,
                env=inherited
                | self._settings
                | {"TASKROOM_HOME": str(self.home.root), "PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches only the harness, which then ends this in order
                preexec_fn=child_setup(signal.SIGTERM),  # also when the harness is killed
            )
        try:
            wait_for(
                "ready", lambda: process.poll() is not None or "\nready " in self.output(), START_SECONDS
            )
            assert process.poll() is None, self.output()
            port = re.search(r"^postgres .*:(\d+)$", self.output(), re.MULTILINE)
            assert port
            password = self.home.secrets.database_password
            self.database_url = f"postgresql://taskroom:{password}@127.0.0.1:{port[1]}/taskroom"
            self.user = self._sign_in()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.user.client.close()
        self.stop()
        left = survivors.processes_of(self.home.root)
        assert not left, f"the supervisor left processes behind: {left}"

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(90)
            except subprocess.TimeoutExpired:
                self._process.kill()  # the kernel then asks each of its children to end
                self._process.wait()
                raise

    def output(self) -> str:
        """Returns the supervisor's lines so far."""
        return self._output.read_text()

    def exits(self) -> list[str]:
        """Returns the parts that have exited so far, in order, from the supervisor's lines."""
        return re.findall(r"^(\S+) exited ", self.output(), re.MULTILINE)

    def pid(self, part: str) -> int:
        return int((self.home.run / f"{part}.pid").read_text())

    def child_of(self, task_id: str) -> int:
        """Waits for the worker process that runs this task and returns its pid."""
        statement = "SELECT worker FROM tasks WHERE id = %s AND worker IS NOT NULL"
        return int(self.rows(statement, task_id)[0][0].rpartition("/")[2])

    def wait_whole(self) -> None:
        """Waits until every part runs, each web process is ready and has Redis, and the worker has all its children."""
        wait_for("all parts to be back", self._is_whole, WHOLE_SECONDS)

    def start(self, events: int, rate: float, gate: Path, begin: Path | None = None) -> str:
        """Starts a task and returns its id; repeats the request until it succeeds.

        The task waits for the file ``begin``, writes ``events`` lines, and more until the file ``gate`` exists.
        """
        params = {"least": events, "rate": rate, "size": 100, "gate": str(gate), "begin": str(begin or "")}
        key = {"Idempotency-Key": uuid.uuid4().hex}
        body = {"job_type": "test_gated_load", "params": params}

        def started() -> str:
            try:
                answer = self.user.client.post("/api/v2/agent/start", json=body, headers=key)
            except httpx.TransportError:  # the web process exited; the key makes a repetition safe
                return ""
            assert answer.status_code in (202, 429, 503), answer.text
            return str(answer.json()["task_id"]) if answer.status_code == 202 else ""

        return wait_for("a task to be started", started, 120)

    def stored(self, task_id: str) -> Stored:
        """Returns the task's stream from Postgres."""
        stream = f"task:{task_id}"
        heads = self.rows("SELECT id, last_seq, closed FROM streams WHERE name = %s", stream)
        stream_id, last_seq, closed = heads[0]
        events = self.rows(
            "SELECT seq, type, payload FROM events WHERE stream_id = %s ORDER BY seq", stream_id
        )
        return Stored.of([(seq, type, payload) for seq, type, payload in events], last_seq, closed)

    def written(self, task_id: str) -> int:
        """Returns the number of lines in the task's result; 0 when it has none."""
        ((result,),) = self.rows("SELECT result FROM tasks WHERE id = %s", task_id)
        return int(result["events"]) if result else 0

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Waits for at least one row: Postgres may be unavailable for now."""
        return wait_for("rows from Postgres", lambda: self._rows(statement, values), 120)

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            # The role's transactions may be read only.
            writes = "-c default_transaction_read_only=off"
            connection = psycopg2.connect(self.database_url, connect_timeout=5, options=writes)
        except psycopg2.OperationalError:
            return []
        try:
            with connection, connection.cursor() as cur:
                cur.execute(statement, values)
                return cur.fetchall()
        except psycopg2.OperationalError:
            return []
        finally:
            connection.close()

    def _is_whole(self) -> bool:
        try:
            pids = [self.pid(part) for part in PARTS]
        except FileNotFoundError:
            return False
        if not all(_lives(pid) for pid in pids):
            return False
        if len(proc.family(self.pid("worker"))) <= WORKER_CHILDREN:
            return False
        return all(self._answer(url) == {"status": "ok"} for url in (self.url, *self._web_urls()))

    def _web_urls(self) -> list[str]:
        """Returns the addresses of the web processes from nginx's configuration."""
        text = (self.home.run / "nginx" / "nginx.conf").read_text()
        return sorted({f"http://{address}" for address in re.findall(r"server (127\.0\.0\.1:\d+)", text)})

    def _answer(self, url: str) -> dict[str, str]:
        try:
            answer = httpx.get(f"{url}/readyz", timeout=5, trust_env=False)
        except httpx.TransportError:
            return {}
        return {"status": answer.json().get("status", "")} if answer.status_code == 200 else {}

    def _sign_in(self) -> User:
        client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        email = "demo@taskroom.local"
        answer = client.post("/api/v2/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.cookies.clear()
        token, user = answer.json()["access_token"], answer.json()["user"]
        client.headers["Authorization"] = f"Bearer {token}"
        return User(user["id"], email, token, client)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
