"""What a child of root may do that others may not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.up import identity
from app.up.home import Home
from app.up.process import Child, Process
from tests.up.running import Running, eventually

# Its capabilities, whether it may get more, a port that is root's alone, and a file that it gives away.
TRIES = """
import os, pathlib, socket
lines = pathlib.Path("/proc/self/status").read_text().splitlines()
print(*(line.split()[1] for line in lines if line.startswith(("CapEff", "CapBnd", "NoNewPrivs"))))
with socket.socket() as port:
    port.bind(("127.0.0.1", 0))
given = pathlib.Path("given")
given.touch()
try:
    os.chown(given, 12345, 12345)
except PermissionError:
    print("not given")
"""
LOW_PORT = """
import socket
with socket.socket() as port:
    port.bind(("127.0.0.1", 811))
print("bound")
"""
NET_BIND_SERVICE = f"{1 << 10:016x}"


@pytest.fixture(autouse=True)
def looked_at_anew() -> Iterator[None]:
    identity.shedding.cache_clear()
    yield
    identity.shedding.cache_clear()


def said(home: Home, code: str, sheds: bool) -> str:
    child = Child("child", (sys.executable, "-c", code), home.root, env=os.environ, sheds=sheds)
    process = Process(child, home)
    process.start()
    assert eventually(lambda: process.poll() is not None)
    return process.tail()


def rights(pid: int) -> list[str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return [
        line.split()[1] for line in lines if line.startswith(("CapEff", "CapPrm", "CapBnd", "NoNewPrivs"))
    ]


def test_a_child_that_sheds_them_has_none_of_roots_rights_but_a_low_port(tmp_path: Path) -> None:
    home = Home.open(tmp_path)

    told = said(home, TRIES, sheds=True)

    if os.geteuid() == 0:
        assert told.splitlines() == [f"{NET_BIND_SERVICE} {NET_BIND_SERVICE} 1", "not given"]
        assert said(home, LOW_PORT, sheds=True) == "bound"
        assert "not given" not in said(home, TRIES, sheds=False), "root gives files away"
    else:
        assert identity.shedding() == () and "not given" in told


def test_where_it_does_not_work_the_command_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbids = tmp_path / "setpriv"
    forbids.write_text("#!/bin/sh\nexit 1\n")
    forbids.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert identity.shedding() == ()

    identity.shedding.cache_clear()
    forbids.unlink()
    assert identity.shedding() == ()


def test_web_worker_beat_and_redis_have_none_of_them(tmp_path: Path) -> None:
    up = Running(tmp_path / "home", "app.up")
    try:
        up.wait_for("ready")
        if os.geteuid() == 0:
            assert not any("root's rights" in line for line in up.lines)
        of = {name: rights(up.pid(name)) for name in ("web-1", "worker", "beat", "redis", "postgres")}
    finally:
        up.stop()

    none = "0" * 16
    shed = [NET_BIND_SERVICE] * 3 + ["1"] if os.geteuid() == 0 else [none, none, of["web-1"][2], "0"]
    assert of["web-1"] == of["worker"] == of["beat"] == of["redis"] == shed
    assert of["postgres"][:2] == [none, none]
