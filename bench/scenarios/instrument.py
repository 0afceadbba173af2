"""What ``taskroom.instrument`` costs the workers of a Celery project."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from celery import Celery

from bench import proc
from bench.answering import answering
from bench.contest import Contest
from bench.figures import OURS, Figure
from tests.support.system import ROOT, wait_for

TASKS, ROUNDS = 3_000, 7
LOG_BATCHES = 200
LOOK_SECONDS = 0.01
POOLS = {"solo": ("--pool", "solo"), "prefork -c 2": ("--pool", "prefork", "--concurrency", "2")}
NAME = "instrument"


@dataclass
class Worker:
    """A worker and its queue, from which it takes tasks only during a round."""

    name: str
    queue: str
    sender: Celery
    broker: redis.Redis
    pid: int = 0
    rates: list[float] = field(default_factory=list)  # tasks a second, by round
    cpu: list[float] = field(default_factory=list)  # seconds a task, with the thread that sends

    def round(self) -> None:
        for _ in range(TASKS):
            self.sender.send_task("noop.nothing", queue=self.queue)
        cpu, began = proc.cpu_seconds(self.pid), time.perf_counter()
        self._consume(True)
        while self._left():
            time.sleep(LOOK_SECONDS)
        self.rates.append(TASKS / (time.perf_counter() - began))
        self._consume(False)
        self.cpu.append((proc.cpu_seconds(self.pid) - cpu) / TASKS)

    def _left(self) -> int:
        """Tasks that no worker has begun."""
        return int(self.broker.llen(self.queue)) + int(self.broker.hlen("unacked"))

    def _consume(self, on: bool) -> None:
        control = self.sender.control
        call = control.add_consumer if on else control.cancel_consumer
        call(self.queue, destination=[self.name], reply=True, limit=1, timeout=30)


def instrument(contest: Contest) -> list[Figure]:
    """Tasks that do nothing, of a worker with `taskroom.instrument` and of one without, in turns; the median of the
    rounds. The server of their reports takes all and stores nothing."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="taskroom-bench-") as folder, answering() as server:
        for pool, arguments in POOLS.items():
            with ExitStack() as stack:
                plain, ours = (
                    stack.enter_context(_worker(contest, Path(folder), arguments, url))
                    for url in ("", server.url)
                )
                for _ in range(ROUNDS + 1):  # the first is one-time work
                    for worker in (plain, ours):
                        worker.round()
                if pool == "solo":
                    call = ours.sender.send_task("noop.lines", (LOG_BATCHES,), queue=ours.queue)
                    ours._consume(True)
                    median_log = float(call.get(timeout=120))
            figures += _figures(pool, plain, ours)
    figures.append(Figure(NAME, "one log() in a task of Celery, median", "µs", {OURS: median_log}, 10))
    print(*(f"  {figure.name}: {figure.values[OURS]:,.2f} {figure.unit}" for figure in figures), sep="\n")
    return figures


def _figures(pool: str, plain: Worker, ours: Worker) -> list[Figure]:
    pairs = zip(ours.rates[1:], plain.rates[1:], strict=True)
    ratio = statistics.median(with_it / without for with_it, without in pairs)
    rate, cpu = (statistics.median(values[1:]) for values in (plain.rates, plain.cpu))
    more = 1e6 * (statistics.median(ours.cpu[1:]) - cpu)
    return [
        Figure(
            NAME, f"{pool}: tasks a second, with it over without", "times", {OURS: ratio}, 0.9, at_least=True
        ),
        Figure(NAME, f"{pool}: tasks a second without it", "", {OURS: rate}),
        Figure(NAME, f"{pool}: CPU of a task without it", "µs", {OURS: 1e6 * cpu}),
        Figure(NAME, f"{pool}: more CPU with it, with sending", "µs", {OURS: more}),
    ]


@contextmanager
def _worker(contest: Contest, folder: Path, arguments: tuple[str, ...], url: str) -> Iterator[Worker]:
    """Starts a worker, instrumented when there is a URL, that waits for its rounds."""
    name, broker = f"w{uuid.uuid4().hex[:8]}", contest.stand.redis_url
    worker = Worker(
        f"{name}@bench",
        f"{name}-work",
        Celery("sender", broker=broker, backend=broker),
        redis.Redis.from_url(broker),
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("TASKROOM_")}
    env |= {"BROKER": broker, "QUEUE": f"{name}-idle", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'sdk'}"}
    if url:
        env |= {
            "TASKROOM_URL": url,
            "TASKROOM_KEY": "trk_of_the_bench",
            "TASKROOM_SPOOL": str(folder / "spool"),
        }
    command = [sys.executable, "-m", "celery", "-A", "bench.instrumented", "worker", *arguments]
    command += ["--loglevel", "WARNING", "--hostname", worker.name, "--without-gossip", "--without-mingle"]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
    worker.pid = process.pid
    try:
        ping = worker.sender.control.ping
        wait_for("the worker", lambda: process.poll() is not None or ping([worker.name], timeout=1), 60)
        assert process.poll() is None, (folder / f"{name}.log").read_text()
        yield worker
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)
