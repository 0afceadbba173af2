"""A job to look at: it builds and tests something, as colourful tools do, and what it says is the same at each run."""

from __future__ import annotations

import time

from marshmallow import Schema, fields

from workers import run as runs
from workers.progress import job, log, phase

GREEN, RED, YELLOW, BOLD, DIM, PLAIN = (f"\x1b[{code}m" for code in (32, 31, 33, 1, 2, 0))
PARTS = ("api", "auth", "bus", "feeds", "hooks", "limits", "rooms", "streams", "tasks", "users")
BROKEN = 211


class ReleaseParams(Schema):
    version = fields.String(load_default="4.2.0", metadata={"description": "What it will be called"})
    broken = fields.Boolean(load_default=False, metadata={"description": "One of its tests fails"})
    tests = fields.Integer(load_default=400, metadata={"description": "How many tests there are"})
    pace = fields.Integer(load_default=0, metadata={"description": "Milliseconds for a test, on average"})
    stop_after = fields.Integer(
        load_default=0, metadata={"description": "Waits after so many tests; 0 goes on"}
    )


@job("release", params=ReleaseParams, phases=("checkout", "build", "test", "publish"))
def release(version: str, broken: bool, tests: int, pace: int, stop_after: int) -> dict[str, object]:
    """Builds, tests and publishes."""
    with phase("checkout", message=f"Release {version}"):
        _work(200 * pace)
        log(f"HEAD is now at {BOLD}9f31c0e{PLAIN} Release {version}")
    with phase("build", total=len(PARTS), message="Building") as build:
        for part in PARTS:
            _work(50 * pace)
            log(f"{DIM}building{PLAIN} taskroom.{part} {GREEN}done{PLAIN}")
            build.advance()
        log("taskroom.limits: 2 deprecated calls, see docs/limits.md", "WARNING")
    with phase("test", total=tests, message="Testing") as testing:
        for n in range(1, tests + 1):
            _work(pace * (1 + n * 7919 % 97 % 3) // 2)
            _test(n, broken)
            testing.advance()
            while n == stop_after:
                runs.current().check()
                time.sleep(0.05)
    with phase("publish", message="Publishing"):
        _work(300 * pace)
        log(f"published {BOLD}taskroom {version}{PLAIN}")
    return {"version": version, "tests": {"passed": tests, "failed": 0}, "parts": list(PARTS)}


def _work(milliseconds: int) -> None:
    if milliseconds:
        time.sleep(milliseconds / 1_000)


def _test(n: int, broken: bool) -> None:
    name = f"tests/{PARTS[n % len(PARTS)]}/test_{n:04}.py"
    if n % 67 == 0:
        log(f"{YELLOW}slow{PLAIN} {name} {DIM}took 1,204 ms{PLAIN}", "WARNING")
    elif n == BROKEN and broken:
        log(f"{RED}{BOLD}FAILED{PLAIN} {name}: expected 3 viewers, found 2", "ERROR")
        raise AssertionError(f"{name}: expected 3 viewers, found 2")
    else:
        log(f"{GREEN}passed{PLAIN} {name} {DIM}{n % 90 + 3} ms{PLAIN}")
