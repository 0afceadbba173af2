"""The rotation of children's logs while the children write."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.up import home as homes
from app.up.home import LOGS_KEPT, Home
from app.up.process import Child, Process
from tests.up.running import eventually

LIMIT = 10_000
# Two processes share one descriptor, like a worker and its children.
WRITES = """
import os, sys, time
name = "b" if os.fork() else "a"
n = 0
while True:
    os.write(1, f"{name} {n:09}\\n".encode())
    n += 1
    time.sleep(0.0001)
"""


@pytest.fixture
def home(new_root: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(homes, "LOG_LIMIT", LIMIT)
    return Home.open(new_root)


@pytest.fixture
def process(home: Home) -> Iterator[Process]:
    process = Process(Child("chatty", ("python3", "-c", WRITES), home.root, env=dict(os.environ)), home)
    process.start()
    yield process
    process.kill()


def log_sizes(home: Home) -> dict[str, int]:
    """Returns the size of each log by its name."""
    return {path.name: path.stat().st_size for path in home.log.iterdir()}


def test_a_log_in_use_is_rotated_again_and_again(home: Home, process: Process) -> None:
    log = home.log / "chatty.log"

    for _ in range(LOGS_KEPT + 2):
        eventually(lambda: log.stat().st_size > LIMIT)
        process.rotate_log()

    assert set(log_sizes(home)) == {"chatty.log", *(f"chatty.log.{n}" for n in range(1, LOGS_KEPT + 1))}
    eventually(lambda: log.stat().st_size > 100)
    process.kill()
    assert process.log_since_start().startswith((b"a ", b"b ")), "no hole before the first byte"
    for path in home.log.iterdir():
        lines = path.read_text().splitlines()
        assert all(len(line) == 11 and line[:2] in ("a ", "b ") for line in lines), path


def test_a_short_log_is_not_rotated(home: Home) -> None:
    (home.log / "quiet.log").write_bytes(b"x" * LIMIT)

    assert not home.rotate_log("quiet")
    assert not home.rotate_log("absent")

    assert log_sizes(home) == {"quiet.log": LIMIT}


def test_on_a_full_disk_a_log_is_truncated_nevertheless(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    (home.log / "web-1.log").write_bytes(b"x" * (LIMIT + 1))

    assert home.rotate_log("web-1")

    assert log_sizes(home) == {"web-1.log": 0}


def test_a_long_log_of_earlier_runs_is_rotated_at_the_start(home: Home) -> None:
    for n in range(LOGS_KEPT + 2):
        home.log_file("web-1").write_bytes(b"%d" % n * (LIMIT + 1))
    home.log_file("web-1")

    newest = [(home.log / f"web-1.log.{n}").read_bytes()[:1] for n in range(1, LOGS_KEPT + 1)]
    assert (newest, len(log_sizes(home))) == ([b"4", b"3", b"2"], LOGS_KEPT)
