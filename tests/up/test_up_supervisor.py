"""The supervisor in its own process, with stand-ins for the application and real servers."""

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
    """Starts a supervisor in a new home."""
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

    second = up()  # has another port: the lock refuses it before the check of the port
    assert "already runs in" in second.output() and len(second.lines) == 1
    assert second.process.returncode == 1

    for name in ("postgres", "redis", "web-1", "beat"):
        running.crash(name)
        running.wait_for(f"{name} exited (killed by SIGKILL), restarts in 0.2 s")
        running.wait_for(f"{name} restarted, pid {running.pid(name)}")
    eventually(lambda: _listens(running.port))
    eventually(lambda: (running.home / "log" / "beat.log").read_text().count("ready.") == 2)

    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGTERM)
    assert running.stop(signal.SIGINT) == 0
    assert (running.home / "stopped").read_text().split() == ["beat", "worker", "web-1"]
    assert not running.survivors()
    assert not list((running.home / "run").glob("*.pid"))

    again = up()
    again.wait_for("ready")
    assert again.wait_for("login") == login


def test_a_log_is_rotated_while_its_process_runs(up: Up) -> None:
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
    assert (logs / "web-1.log").stat().st_size < 1_000, "the process continues at the beginning"
    assert (logs / "web-1.log.1").read_text().count(line) == lines
    assert running.pid("web-1") == pid


def test_the_children_of_a_killed_supervisor_end(up: Up) -> None:
    running = up()
    running.wait_for("ready")
    running.process.kill()
    eventually(lambda: not running.survivors())


def test_a_child_that_ignores_sigterm_is_ended_at_the_next_start(up: Up) -> None:
    running = up(STANDIN="stubborn")
    running.wait_for("ready")
    running.process.kill()
    eventually(lambda: len(running.survivors()) == 1)
    stubborn = running.survivors()[0].pid
    again = up()
    again.wait_for("ended 1 processes that an earlier run left behind")
    again.wait_for("ready")
    assert stubborn not in [found.pid for found in again.survivors()]


def test_a_child_that_ignores_sigterm_does_not_block_the_stop(up: Up) -> None:
    running = up(STANDIN="stubborn")
    running.wait_for("ready")
    assert running.stop() == 0
    assert not running.survivors()


def test_children_of_one_group_receive_their_signals_at_once(up: Up) -> None:
    running = up(STANDIN="twins")
    running.wait_for("ready")
    assert running.stop() == 0
    stopped = (running.home / "stopped").read_text().split()
    assert (stopped[0], set(stopped[1:3]), stopped[3:]) == ("beat", {"twin-1", "twin-2"}, ["worker", "web-1"])
    assert (running.home / "left").read_text().split()[1:3] in (["twin-1", "twin-2"], ["twin-2", "twin-1"])


def test_the_reason_of_a_child_that_keeps_exiting_is_shown(up: Up) -> None:
    running = up(STANDIN="crash")
    output = running.output()
    assert running.process.returncode == 1
    assert "the reason" in output
    assert "taskroom: worker exits again and again; the reason is in" in running.lines[-1]
    assert not running.survivors()


def test_the_reason_of_a_failed_step_is_shown(up: Up) -> None:
    running = up(STANDIN="step")
    assert "the reason" in running.output()
    assert "taskroom: migrate failed; see" in running.lines[-1]
    assert running.process.returncode == 1 and not running.survivors()


def test_a_port_in_use_is_reported_before_anything_starts(first_up: Up) -> None:
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
    assert not running.survivors()


def test_the_supervisor_survives_the_end_of_its_reader(up: Up) -> None:
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
