"""``script/soak [MINUTES] [--matrix | --jitter | --celery] [--seed N]``: the matrix, random faults for so long, the
jitter, tasks of Celery projects.

The exit code is 1 when a viewer saw other events than Postgres has, when the memory of a web process grew, or when a
line or an end of a Celery task is missing."""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.checker import Verdict
from tests.faults.faults import ALL, KILL, LOSES_WORKER
from tests.faults.jitter import P99_TARGET, jitter
from tests.faults.matrix import Row, matrix, table
from tests.faults.memory import Memory, MemoryTrend
from tests.faults.network import bad_network
from tests.faults.observed import BROKERS, observed, projects
from tests.faults.run import SUCCESS, Outcome, running
from tests.faults.system import Taskroom
from tests.faults.viewers import Sockets, sockets

VIEWERS = 12  # of each transport; one in four of them behind a bad network
SIZES, RATES = (2_000, 6_000), (300.0, 800.0)
PAUSES = (3.0, 12.0)  # seconds between two faults
ANY_END = SUCCESS | {"FAILURE WorkerLost"}


@dataclass(slots=True)
class SoakResult:
    seed: int
    runs: int = 0
    events: int = 0
    deliveries: int = 0
    returns: int = 0
    resets: int = 0
    lost_workers: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    trends: list[MemoryTrend] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.runs += 1
        self.events += outcome.events
        self.deliveries += outcome.deliveries
        self.returns += sum(outcome.returns.values())
        for verdict in outcome.verdicts.values():
            self.verdict.add(verdict)
        self.lost_workers += outcome.ending != "SUCCESS"
        if not outcome.ok:
            self.wrong.append(f"run {self.runs}: {outcome}")

    @property
    def ok(self) -> bool:
        return not self.wrong and self.runs > 0 and all(trend.ok for trend in self.trends)

    def __str__(self) -> str:
        v = self.verdict
        lines = [
            f"seed {self.seed}: {self.runs} runs, {self.events:,} events, {self.deliveries:,} deliveries to "
            f"{v.viewers:,} viewers, who reconnected {self.returns:,} times ({self.resets:,} resets by the network)",
            f"lost {v.lost}, repeated {v.repeated}, out of order {v.disordered}, not as stored {v.different}, "
            f"wrong ends {v.endings}; {self.lost_workers} tasks ended as WorkerLost, as they must",
            "faults: " + ", ".join(f"{count} × {name}" for name, count in sorted(self.faults.items())),
            *(f"memory of {trend}" for trend in self.trends),
        ]
        return "\n".join(lines + self.wrong)


class FaultInjector(threading.Thread):
    """Injects random faults, in the same order with the same pauses for the same seed. Each waits until all parts
    run."""

    def __init__(self, taskroom: Taskroom, result: SoakResult) -> None:
        super().__init__(daemon=True)
        self.task_id = ""
        self.worker_killed_at = 0.0  # the end of the last such fault, on the clock of Run.began
        self.exits: Counter[str] = Counter()  # that the supervisor must report
        self._taskroom, self._result = taskroom, result
        self._random = random.Random(result.seed)
        self._leaving = threading.Event()

    def run(self) -> None:
        try:
            while not self._leaving.wait(self._random.uniform(*PAUSES)):
                fault = self._random.choice(ALL)
                loses = fault.kind == KILL and fault.part in LOSES_WORKER
                self.worker_killed_at = float("inf") if loses else self.worker_killed_at
                self.exits.update(fault.exits)
                fault.inject(self._taskroom, self.task_id, self._leaving)
                self.worker_killed_at = time.monotonic() if loses else self.worker_killed_at
                self._result.faults[str(fault)] += 1
                self._taskroom.wait_whole()
        except Exception as error:  # an exception in a thread would be silent
            self._result.wrong.append(f"the faults ended early: {type(error).__name__}: {error}")

    def close(self) -> None:
        self._leaving.set()
        self.join()


def soak(taskroom: Taskroom, host: Sockets, seconds: float, seed: int) -> SoakResult:
    """Runs load tasks one after another under random faults until the time is over."""
    result = SoakResult(seed)
    sizes = random.Random(seed + 1)
    end = time.monotonic() + seconds
    memory, injector = Memory(taskroom), FaultInjector(taskroom, result)
    try:
        with bad_network(taskroom.port, seed) as network:
            urls = [taskroom.url, taskroom.url, taskroom.url, network.url]
            while time.monotonic() < end:
                events, rate = sizes.randint(*SIZES), sizes.uniform(*RATES)
                with running(taskroom, host, events=events, rate=rate, viewers=VIEWERS, urls=urls) as run:
                    injector.task_id = run.task_id
                    if not injector.ident:
                        injector.start()
                    outcome = run.finish(ANY_END)
                if outcome.ending != "SUCCESS" and injector.worker_killed_at < run.began:
                    outcome.faults.append(f"it ended as {outcome.ending} and no worker was killed")
                result.add(outcome)
                print(f"  run {result.runs}: {outcome}, {outcome.seconds:.0f} s", flush=True)
            result.resets = network.resets
    finally:
        if injector.ident:
            injector.close()
        result.trends = memory.close()
    exits = Counter(taskroom.exits())
    if exits != injector.exits:
        result.wrong.append(
            f"these processes exited: {dict(exits)}, and these were killed: {dict(injector.exits)}"
        )
    return result


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=20.0, help="of random faults (20)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(1_000_000), help="of the faults (random)"
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--matrix", action="store_true", help="each fault once, and nothing else")
    only.add_argument(
        "--jitter", action="store_true", help="thousands of viewers cut at random, and nothing else"
    )
    only.add_argument("--celery", action="store_true", help="tasks of Celery projects, and nothing else")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the started processes on the way out
    everything = not asked.matrix and not asked.jitter and not asked.celery
    fine = []
    root = Path(tempfile.mkdtemp(prefix="taskroom-soak-"))
    try:
        if asked.matrix or everything:
            fine.append(_matrix(root / "matrix", asked.seed))
        if everything:
            fine.append(_soak(root / "soak", asked.minutes, asked.seed))
        if asked.jitter or everything:
            fine.append(_jitter(root / "jitter", asked.seed))
        if asked.celery or everything:
            fine.append(_observed(root / "celery"))
    except BaseException:
        print(f"ended early; the logs are in {root}", file=sys.stderr)
        raise
    finally:
        for data in root.glob("*/home/data"):  # gigabytes; the logs remain
            shutil.rmtree(data)
    if not all(fine):
        print(f"promises were broken, see above; the logs are in {root}")
        return 1
    shutil.rmtree(root)
    print("all promises held")
    return 0


def _matrix(folder: Path, seed: int) -> bool:
    def on_row(row: Row) -> None:
        print(f"  {row.what}: {row.outcome}, {row.outcome.seconds:.0f} s", flush=True)

    print("matrix", flush=True)
    with Taskroom(folder) as taskroom, sockets() as host:
        rows = matrix(taskroom, host, on_row, seed)
    print(table(rows), flush=True)
    return all(row.outcome.ok for row in rows)


def _soak(folder: Path, minutes: float, seed: int) -> bool:
    print(f"{minutes:g} minutes of random faults, seed {seed}", flush=True)
    with Taskroom(folder) as taskroom, sockets() as host:
        result = soak(taskroom, host, 60 * minutes, seed)
    print(result, flush=True)
    return result.ok


def _jitter(folder: Path, seed: int) -> bool:
    print("jitter", flush=True)
    with Taskroom(folder) as taskroom:
        result = jitter(taskroom, viewers=2_000, events=120, rate=2, seed=seed)
    print("", result, *result.faults[:5], sep="  ", flush=True)
    # Reported only: the speed of a shared machine is not a fault of Taskroom.
    over = "over" if result.percentile(99) > P99_TARGET else "under"
    print(f"  p99 of a replay is {over} {1e3 * P99_TARGET:.0f} ms", flush=True)
    return result.ok


def _observed(folder: Path) -> bool:
    print("tasks of Celery projects", flush=True)
    fine = True
    with Taskroom(folder) as taskroom:
        for result in observed(taskroom, folder):
            print(f"  {result}", flush=True)
            fine = fine and not result.wrong
    for broker in BROKERS:
        passed, summary = projects(broker, folder / f"projects-{broker}.log")
        print(f"  {broker}: three projects in all pools: {summary}", flush=True)
        fine = fine and passed
    return fine


if __name__ == "__main__":
    sys.exit(main())
