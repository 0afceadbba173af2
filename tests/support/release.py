"""A job for pictures: it imitates a build with tests and coloured output, the same at each run."""

from __future__ import annotations

import time

from marshmallow import Schema, fields

from taskroom.phases import REPORT_SECONDS, Phase
from workers import current
from workers.progress import job, log, phase

GREEN, RED, YELLOW, BOLD, DIM, PLAIN = (f"\x1b[{code}m" for code in (32, 31, 33, 1, 2, 0))
PARTS = ("api", "auth", "bus", "feeds", "hooks", "limits", "rooms", "streams", "tasks", "users")
BROKEN = 211
PACE = 0.002  # seconds


class ReleaseParams(Schema):
    version = fields.String(load_default="4.2.0", metadata={"description": "The name of the release"})
    broken = fields.Boolean(load_default=False, metadata={"description": "One of its tests fails"})
    tests = fields.Integer(load_default=400, metadata={"description": "How many tests there are"})
    stop_after = fields.Integer(
        load_default=0, metadata={"description": "Waits after so many tests; 0 does not wait"}
    )


@job("release", params=ReleaseParams, phases=("checkout", "build", "test", "publish"))
def release(version: str, broken: bool, tests: int, stop_after: int) -> dict[str, object]:
    """Builds, tests and publishes."""
    with phase("checkout", message=f"Release {version}"):
        time.sleep(100 * PACE)
        log(f"HEAD is now at {BOLD}9f31c0e{PLAIN} Release {version}")
    with phase("build", total=len(PARTS), message="Building") as build:
        for part in PARTS:
            time.sleep(20 * PACE)
            log(f"{DIM}building{PLAIN} taskroom.{part} {GREEN}done{PLAIN}")
            build.advance()
        log("taskroom.limits: 2 deprecated calls, see docs/operations.md", "WARNING")
    with phase("test", total=tests, message="Testing") as testing:
        for n in range(1, tests + 1):
            time.sleep(PACE)
            _test(n, broken)
            testing.advance()
            if n == stop_after:
                _wait_for_cancel(testing)
    with phase("publish", message="Publishing"):
        log(f"published {BOLD}taskroom {version}{PLAIN}")
    return {"version": version, "tests": {"passed": tests, "failed": 0}, "parts": list(PARTS)}


def _wait_for_cancel(testing: Phase) -> None:
    """Reports its progress once, then nothing, until it is cancelled."""
    time.sleep(2 * REPORT_SECONDS)
    testing.advance(0)
    while True:
        time.sleep(0.05)
        current.get().check()


def _test(n: int, broken: bool) -> None:
    name = f"tests/{PARTS[n % len(PARTS)]}/test_{n:04}.py"
    if n % 67 == 0:
        log(f"{YELLOW}slow{PLAIN} {name} {DIM}took 1,204 ms{PLAIN}", "WARNING")
    elif n == BROKEN and broken:
        log(f"{RED}{BOLD}FAILED{PLAIN} {name}: expected 3 viewers, found 2", "ERROR")
        raise AssertionError(f"{name}: expected 3 viewers, found 2")
    else:
        log(f"{GREEN}passed{PLAIN} {name} {DIM}{n % 90 + 3} ms{PLAIN}")
