"""A web process with the limits that it ships with, and what its attackers find there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.db.persistent import PersistentConnection
from app.projections import project
from app.stream.event import draft, now, task_stream
from app.stream.publisher import Publisher
from app.stream.transaction import Transactions
from app.tasks import lifecycle
from bench.hostile.ground import finished_tasks, long_log
from bench.hostile.kinds import KINDS
from bench.hostile.target import Order, Target
from bench.hostile.turns import Turns
from tests.support.system import System, User

PATIENCE = 60.0  # seconds: it ends a test that hangs, and measures nothing
LOG, TASKS, REPORTS = 50_000, 2_000, 4


@dataclass(slots=True)
class Scene:
    """``attacker`` owns ``tasks``, ``log`` and the tasks of ``write``; ``viewer`` may see all."""

    system: System
    pid: int
    begin: Transactions
    attacker: User
    viewer: User
    reporter: User
    tasks: list[str]
    log: str

    @property
    def url(self) -> str:
        return self.system.url

    def task(self) -> str:
        """Creates a task that no worker runs."""
        with self.begin() as tx:
            return lifecycle.create(
                tx,
                user_id=self.attacker.id,
                job_type="emit_load",
                title="Load",
                intent="execute_command",
                params={},
            )

    def write(self, task: str, lines: int) -> None:
        fields = {"level": "INFO", "message": "x" * 200, "component": None, "phase": None}
        stream = task_stream(task)
        with self.begin() as tx:
            tx.append(
                [draft(stream, "log", {"timestamp": now(), **fields}, projected=False) for _ in range(lines)]
            )

    def order(self, kind: str, run: str, rounds: int) -> Order:
        address = urlsplit(self.url)
        return Order(
            kind,
            (str(address.hostname), int(address.port or 0)),
            self.attacker.token,
            self.attacker.email,
            self.tasks,
            self.log,
            run,
            self.reporter.token,
            [self.task() for _ in range(REPORTS)],
            seconds=2 * PATIENCE,
            rounds=rounds,
            patience=PATIENCE,
        )

    @contextmanager
    def attack(self, kind: str, run: str, rounds: int) -> Iterator[Target]:
        """Runs the attacker in a thread. At the end of the block its waits end, and it has done all its rounds."""
        target = Target(self.order(kind, run, rounds))
        faults: list[BaseException] = []

        def attack() -> None:
            try:
                KINDS[kind](target)
            except BaseException as error:
                faults.append(error)

        thread = threading.Thread(target=attack)
        thread.start()
        try:
            yield target
        finally:
            target.release()
            thread.join(4 * PATIENCE)
        assert not thread.is_alive() and not faults, faults

    def turns(self) -> Turns:
        return Turns.of(self.url)


@pytest.fixture(scope="module")
def scene(new_system: Callable[[str], System]) -> Iterator[Scene]:
    with (
        new_system("hostile").running(workers=0, TASKROOM_BENCH="0") as system,
        closing(PersistentConnection(system.database_url)) as connect,
    ):
        attacker = system.user()
        scene = Scene(
            system,
            system.processes[-1].pid,
            Transactions(connect, project, Publisher(system.redis_url).publish),
            attacker,
            system.user("global_admin"),
            system.user("worker"),
            finished_tasks(system, attacker, TASKS),
            log="",
        )
        scene.log = scene.task()
        long_log(system, scene.log, LOG)
        yield scene
        for user in (attacker, scene.viewer, scene.reporter):
            user.client.close()


class Memory:
    """The memory of a process: what it has, and the most since the last ``begin``. Linux only."""

    def __init__(self, pid: int) -> None:
        self._files = Path(f"/proc/{pid}")

    def begin(self) -> None:
        (self._files / "clear_refs").write_text("5")  # proc(5): resets the peak

    def _bytes(self, name: str) -> int:
        lines = (self._files / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024

    @property
    def now(self) -> int:
        return self._bytes("VmRSS")

    @property
    def most(self) -> int:
        return self._bytes("VmHWM")
