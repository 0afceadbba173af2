"""``script/soak [MINUTES] [--matrix | --jitter] [--seed N]``: the matrix, random faults for that long, the jitter.

Exit code 1 when any viewer saw anything but what Postgres has, or when the web processes' memory grew."""

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
from tests.faults.memory import Life, Memory
from tests.faults.network import bad_network
from tests.faults.run import SUCCESS, Outcome, running
from tests.faults.system import Taskroom
from tests.faults.viewers import Sockets, sockets

VIEWERS = 12  # of each transport; one in four of them behind a bad network
SIZES, RATES = (2_000, 6_000), (300.0, 800.0)
PAUSES = (3.0, 12.0)  # seconds between two faults
ANY_END = SUCCESS | {"FAILURE WorkerLost"}


@dataclass(slots=True)
class Soaked:
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
    lives: list[Life] = field(default_factory=list)

    def take(self, outcome: Outcome) -> None:
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
        return not self.wrong and self.runs > 0 and all(life.ok for life in self.lives)

    def __str__(self) -> str:
        v = self.verdict
        lines = [
            f"seed {self.seed}: {self.runs} runs, {self.events:,} events, {self.deliveries:,} deliveries to "
            f"{v.viewers:,} viewers, who came back {self.returns:,} times ({self.resets:,} resets by the network)",
            f"lost {v.lost}, repeated {v.repeated}, out of order {v.disordered}, not as stored {v.different}, "
            f"wrong ends {v.endings}; {self.lost_workers} tasks ended as WorkerLost, as they must",
            "faults: " + ", ".join(f"{count} × {name}" for name, count in sorted(self.faults.items())),
            *(f"memory of {life}" for life in self.lives),
        ]
        return "\n".join(lines + self.wrong)


class Striker(threading.Thread):
    """Faults at random, the same order and pauses for the same seed; the next when everything is whole again."""

    def __init__(self, taskroom: Taskroom, soaked: Soaked) -> None:
        super().__init__(daemon=True)
        self.task_id = ""
        self.worker_struck_at = 0.0  # when it was last done with one, on the clock of Run.began
        self.deaths: Counter[str] = Counter()  # that the supervisor must have seen
        self._taskroom, self._soaked = taskroom, soaked
        self._random = random.Random(soaked.seed)
        self._leaving = threading.Event()

    def run(self) -> None:
        try:
            while not self._leaving.wait(self._random.uniform(*PAUSES)):
                fault = self._random.choice(ALL)
                loses = fault.kind == KILL and fault.part in LOSES_WORKER
                self.worker_struck_at = float("inf") if loses else self.worker_struck_at
                self.deaths.update(fault.deaths)
                fault.strike(self._taskroom, self.task_id, self._leaving)
                self.worker_struck_at = time.monotonic() if loses else self.worker_struck_at
                self._soaked.faults[str(fault)] += 1
                self._taskroom.wait_whole()
        except Exception as error:  # in a thread nobody would hear of it
            self._soaked.wrong.append(f"the faults ended early: {type(error).__name__}: {error}")

    def close(self) -> None:
        self._leaving.set()
        self.join()


def soak(taskroom: Taskroom, host: Sockets, seconds: float, seed: int) -> Soaked:
    """Runs one after the other under random faults until the time is over."""
    soaked = Soaked(seed)
    sizes = random.Random(seed + 1)
    end = time.monotonic() + seconds
    memory, striker = Memory(taskroom), Striker(taskroom, soaked)
    try:
        with bad_network(taskroom.port, seed) as network:
            urls = [taskroom.url, taskroom.url, taskroom.url, network.url]
            while time.monotonic() < end:
                events, rate = sizes.randint(*SIZES), sizes.uniform(*RATES)
                with running(taskroom, host, events=events, rate=rate, viewers=VIEWERS, urls=urls) as run:
                    striker.task_id = run.task_id
                    if not striker.ident:
                        striker.start()
                    outcome = run.finish(ANY_END)
                if outcome.ending != "SUCCESS" and striker.worker_struck_at < run.began:
                    outcome.faults.append(f"it ended as {outcome.ending} and no worker was killed")
                soaked.take(outcome)
                print(f"  run {soaked.runs}: {outcome}, {outcome.seconds:.0f} s", flush=True)
            soaked.resets = network.resets
    finally:
        if striker.ident:
            striker.close()
        soaked.lives = memory.close()
    deaths = Counter(taskroom.deaths())
    if deaths != striker.deaths:
        soaked.wrong.append(f"what died was {dict(deaths)}, and killed was {dict(striker.deaths)}")
    return soaked


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
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    everything = not asked.matrix and not asked.jitter
    fine = []
    root = Path(tempfile.mkdtemp(prefix="taskroom-soak-"))
    try:
        if asked.matrix or everything:
            fine.append(_matrix(root / "matrix", asked.seed))
        if everything:
            fine.append(_soak(root / "soak", asked.minutes, asked.seed))
        if asked.jitter or everything:
            fine.append(_jitter(root / "jitter", asked.seed))
    except BaseException:
        print(f"ended early; the logs are in {root}", file=sys.stderr)
        raise
    finally:
        for data in root.glob("*/home/data"):  # gigabytes; the logs tell what happened
            shutil.rmtree(data)
    if not all(fine):
        print(f"NOT as promised, see above; the logs are in {root}")
        return 1
    shutil.rmtree(root)
    print("all as promised")
    return 0


def _matrix(folder: Path, seed: int) -> bool:
    def told(row: Row) -> None:
        print(f"  {row.what}: {row.outcome}, {row.outcome.seconds:.0f} s", flush=True)

    print("matrix", flush=True)
    with Taskroom(folder) as taskroom, sockets() as host:
        rows = matrix(taskroom, host, told, seed)
    print(table(rows), flush=True)
    return all(row.outcome.ok for row in rows)


def _soak(folder: Path, minutes: float, seed: int) -> bool:
    print(f"{minutes:g} minutes of random faults, seed {seed}", flush=True)
    with Taskroom(folder) as taskroom, sockets() as host:
        soaked = soak(taskroom, host, 60 * minutes, seed)
    print(soaked, flush=True)
    return soaked.ok


def _jitter(folder: Path, seed: int) -> bool:
    print("jitter", flush=True)
    with Taskroom(folder) as taskroom:
        result = jitter(taskroom, viewers=2_000, events=120, rate=2, seed=seed)
    print("", result, *result.faults[:5], sep="  ", flush=True)
    # Said and not judged: how fast a machine is that others share is no fault of what runs on it.
    over = "over" if result.percentile(99) > P99_TARGET else "under"
    print(f"  p99 of a replay is {over} {1e3 * P99_TARGET:.0f} ms", flush=True)
    return result.ok


if __name__ == "__main__":
    sys.exit(main())
