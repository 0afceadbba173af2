"""The supervisor as a process of its own, over stand-ins for the application and real servers."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.up.home import LOG_LIMIT
from tests.up.running import Running, eventually

NAMES = ("postgres", "redis", "web-1", "worker", "beat")
Up = Callable[..., Running]


@pytest.fixture
def first_up(new_root: Path) -> Iterator[Up]:
    """The first start of all in its home."""
    started: list[Running] = []

    def start(**env: str) -> Running:
        started.append(Running(new_root, **env))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def up(root: Path, first_up: Up) -> Up:
    return first_up


def test_life(first_up: Up) -> None:
    up = first_up
    running = up()
    assert running.wait_for("ready") == f"ready http://127.0.0.1:{running.port}"
    login = running.wait_for("login demo@taskroom.local ")
    for name in NAMES:
        os.kill(running.pid(name), 0)

    second = up()  # before the port is looked at, although that is another one
    assert "already runs in" in second.output() and len(second.lines) == 1
    assert second.process.returncode == 1

    for name in ("postgres", "redis", "web-1", "beat"):
        running.crash(name)
        running.wait_for(f"{name} died (killed by SIGKILL), starts again in 0.2 s")
        running.wait_for(f"{name} runs again, pid {running.pid(name)}")
    eventually(lambda: _listens(running.port))
    eventually(lambda: (running.home / "log" / "beat.log").read_text().count("ready.") == 2)

    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGTERM)
    assert running.stop(signal.SIGINT) == 0
    assert (running.home / "stopped").read_text().split() == ["beat", "worker", "web-1"]
    assert not running.left()
    assert not list((running.home / "run").glob("*.pid"))

    again = up()
    again.wait_for("ready")
    assert again.wait_for("login") == login


def test_a_log_is_put_aside_while_its_process_lives(up: Up) -> None:
    running = up()
    running.wait_for("ready")
    logs, pid = running.home / "log", running.pid("web-1")
    line, lines = "x" * 60_000, LOG_LIMIT // 60_000 + 1

    with httpx.Client(base_url=f"http://127.0.0.1:{running.port}", trust_env=False) as client:
        for _ in range(lines):  # each request is a line of the stand-in's log
            client.get(f"/{line}")

    eventually(lambda: (logs / "web-1.log.1").exists() and (logs / "web-1.log").stat().st_size == 0)
    httpx.get(f"http://127.0.0.1:{running.port}/after", trust_env=False)
    eventually(lambda: b"/after" in (logs / "web-1.log").read_bytes())
    assert (logs / "web-1.log").stat().st_size < 1_000, "it goes on at the beginning"
    assert (logs / "web-1.log.1").read_text().count(line) == lines
    assert running.pid("web-1") == pid


def test_a_killed_supervisor_takes_its_children_along(up: Up) -> None:
    running = up()
    running.wait_for("ready")
    running.process.kill()
    eventually(lambda: not running.left())


def test_a_child_that_resists_is_ended_at_the_next_start(up: Up) -> None:
    running = up(STANDIN="stubborn")
    running.wait_for("ready")
    running.process.kill()
    eventually(lambda: len(running.left()) == 1)
    stubborn = running.left()[0].pid
    again = up()
    again.wait_for("ended 1 processes that an earlier run left behind")
    again.wait_for("ready")
    assert stubborn not in [found.pid for found in again.left()]


def test_a_child_that_ignores_sigterm_does_not_hold_up_the_end(up: Up) -> None:
    running = up(STANDIN="stubborn")
    running.wait_for("ready")
    assert running.stop() == 0
    assert not running.left()


def test_children_of_one_group_are_asked_to_end_at_once(up: Up) -> None:
    running = up(STANDIN="twins")
    running.wait_for("ready")
    assert running.stop() == 0
    stopped = (running.home / "stopped").read_text().split()
    assert (stopped[0], set(stopped[1:3]), stopped[3:]) == ("beat", {"twin-1", "twin-2"}, ["worker", "web-1"])
    assert (running.home / "left").read_text().split()[1:3] in (["twin-1", "twin-2"], ["twin-2", "twin-1"])


def test_a_child_that_cannot_live_is_shown(up: Up) -> None:
    running = up(STANDIN="crash")
    output = running.output()
    assert running.process.returncode == 1
    assert "the reason of it" in output
    assert "taskroom: worker does not stay up; the reason is in" in running.lines[-1]
    assert not running.left()


def test_a_step_that_fails_is_shown(up: Up) -> None:
    running = up(STANDIN="step")
    assert "the reason of it" in running.output()
    assert "taskroom: migrate failed; see" in running.lines[-1]
    assert running.process.returncode == 1 and not running.left()


def test_port_in_use_is_told_before_anything_starts(first_up: Up) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        running = first_up(PORT=str(other.getsockname()[1]))
        output = running.output()
    assert running.process.returncode == 1
    assert len(running.lines) == 1 and "script/up" in output
    assert not (running.home / "data" / "postgres").exists()


def test_sigterm_while_it_starts(up: Up) -> None:
    running = up()
    running.wait_for("postgres")
    assert running.stop() == 0
    assert not running.left()


def test_a_reader_that_goes_away_ends_nothing(up: Up) -> None:
    running = up()
    running.wait_for("ready")
    running.wait_for("login")
    running.closing = True
    running.crash("beat")
    running.crash("web-1")
    assert running.stop() == 0


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
