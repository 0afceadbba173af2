"""Whether the suite is green by more than chance: many runs, each shuffled and on a machine that is busy otherwise."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.summary import merged
from tests.support.system import ROOT

LONGEST_SECONDS = 3600  # of one run: it is ended after that, and the busy loops end by themselves
ENDING_SECONDS = 180
# It ends with its parent too, whatever ends that one.
BUSY = f"""
import os, sys, time
parent, limit = int(sys.argv[1]), time.monotonic() + {LONGEST_SECONDS}
while os.getppid() == parent and time.monotonic() < limit:
    for _ in range(1_000_000):
        pass
"""


@dataclass(slots=True)
class Run:
    seed: int
    seconds: float = 0.0
    code: int = 0
    passed: int = 0
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = "green" if self.code == 0 else f"red ({self.code})"
        return f"{self.seed:>10}  {self.seconds:7.0f} s  {self.passed:6}  {len(self.failed):6}  {verdict}"


@contextmanager
def busy_machine() -> Iterator[list[subprocess.Popen[bytes]]]:
    """A loop on every core, of the same priority as the tests."""
    command = [sys.executable, "-c", BUSY, str(os.getpid())]
    loops = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield loops
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def once(seed: int, arguments: list[str]) -> Run:
    run, began = Run(seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="taskroom-again-") as reports, busy_machine():
        lane, rest = (arguments[:1], arguments[1:]) if arguments[:1] == ["quick"] else ([], arguments)
        shuffled = (f"--random-order-seed={seed}", "--random-order")
        run.code = _status([str(ROOT / "script" / "test"), *lane, *shuffled, *rest], reports)
        outcomes = merged(sorted(Path(reports).glob("*.xml")))
    run.seconds = time.monotonic() - began
    run.passed = sum(one.outcome == "passed" for one in outcomes)
    run.failed = [one.name for one in outcomes if one.outcome == "failed"]
    if run.code and not run.failed:
        run.failed.append("no test, but the run itself: its last lines say why")
    return run


def _status(command: list[str], reports: str) -> int:
    """The exit status of a run, ended when it takes too long or when this process is interrupted."""
    run = subprocess.Popen(command, env={**os.environ, "TEST_REPORTS": reports}, start_new_session=True)
    try:
        return run.wait(LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        return 124
    finally:
        if run.poll() is None:
            os.killpg(
                run.pid, signal.SIGTERM
            )  # an interrupt is ignored by what a shell started in the background
            try:
                run.wait(ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                run.wait()


def main(arguments: list[str]) -> int:
    if not arguments or not arguments[0].isdecimal() or not int(arguments[0]):
        print("usage: script/test-again N [arguments for pytest]", file=sys.stderr)
        return 2
    runs: list[Run] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # its run is to end with it
    for _ in range(int(arguments[0])):
        runs.append(once(random.SystemRandom().randrange(2**31), arguments[1:]))
        print("\n      seed       time  passed  failed", *runs, sep="\n", flush=True)
    failures = Counter(name for run in runs for name in run.failed)
    for name, times in failures.most_common():
        print(f"failed in {times} of {len(runs)}: {name}")
    green = sum(run.code == 0 for run in runs)
    print(f"{green} of {len(runs)} runs are green")
    return 0 if green == len(runs) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
