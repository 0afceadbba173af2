"""Celery projects that Taskroom observes, with each broker. Of one, its processes and web processes are killed, and the
server is away for a minute; three as others write them run in all pools."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.up.home import Home
from tests.adopt.outage import LINES, TASKS, Outage, spool_is_empty
from tests.adopt.project import HERE, Page, Project
from tests.faults.system import WEBS, Taskroom
from tests.instrument.rabbitmq import rabbitmq
from tests.support.embedded import EmbeddedRedis
from tests.support.keys import make
from tests.support.line import TcpProxy
from tests.support.system import ROOT, wait_for

AWAY_SECONDS = 60.0
PAUSE = 0.03  # between two lines: each task goes on for a quarter of a minute
PATIENCE = 900.0
BROKERS = ("Redis", "RabbitMQ")


@dataclass(frozen=True, slots=True)
class ObservedResult:
    """``wrong`` says what was not as it must be; empty when all was."""

    broker: str
    killed: int
    seconds: float
    wrong: str = ""

    def __str__(self) -> str:
        what = f"{TASKS} tasks of {LINES} lines, {self.killed} of them killed, {self.seconds:.0f} s"
        return f"{self.broker}: {what}: {self.wrong or 'each line once and in order, each task has its end'}"


def observed(taskroom: Taskroom, folder: Path) -> Iterator[ObservedResult]:
    """Runs the tasks with each broker."""
    for broker in BROKERS:
        logs = folder / broker
        logs.mkdir(parents=True)
        with _broker(broker, logs) as url:
            yield _run(taskroom, broker, url, logs)


def projects(broker: str, log: Path) -> tuple[bool, str]:
    """Runs the tests of the three projects, in all pools. Returns whether they passed, and pytest's last line."""
    more = {"TEST_CELERY_POOLS": "all"} | ({"TEST_CELERY_RABBITMQ": "1"} if broker == "RabbitMQ" else {})
    with log.open("w") as output:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "tests/adopt/test_projects.py", "-p", "no:randomly"],
            cwd=ROOT,
            env=os.environ | more,
            stdout=output,
            stderr=output,
            check=False,
        )
    return done.returncode == 0, log.read_text().rstrip().rpartition("\n")[2].strip("= ")


def _run(taskroom: Taskroom, broker: str, url: str, logs: Path) -> ObservedResult:
    line = TcpProxy(taskroom.url)
    key = make(taskroom.user, "report")["key"]
    project = Project(HERE / "lasting", "lasting", logs, url, line.url, key)
    outage = Outage(project, Page(taskroom.user), PAUSE)
    began = time.monotonic()
    killed: set[str] = set()
    try:
        with outage.running():
            outage.kill_sender()
            killed |= {outage.kill_child(), *outage.kill_worker()}
            for web in WEBS:
                os.kill(taskroom.pid(web), signal.SIGKILL)
            taskroom.wait_whole()
            line.cut()
            time.sleep(AWAY_SECONDS)
            line.mend()
            outage.check(killed, PATIENCE)
            wait_for("an empty spool", lambda: spool_is_empty(logs / "spool"))
    except AssertionError as error:
        return ObservedResult(broker, len(killed), time.monotonic() - began, str(error))
    finally:
        line.close()
    return ObservedResult(broker, len(killed), time.monotonic() - began)


@contextmanager
def _broker(name: str, folder: Path) -> Iterator[str]:
    if name == "RabbitMQ":
        with rabbitmq(folder) as url:
            yield url
        return
    with EmbeddedRedis(Home.open(folder / "home")) as redis:
        yield redis.url
