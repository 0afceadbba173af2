"""The rights of children when root runs script/up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.up import rights
from app.up.home import Home
from app.up.process import Child, Process
from tests.up.running import Running, eventually

# Prints the capabilities and NoNewPrivs, binds a port, and tries to change the owner of a file.
ATTEMPT = """
import os, pathlib, socket
lines = pathlib.Path("/proc/self/status").read_text().splitlines()
print(*(line.split()[1] for line in lines if line.startswith(("CapEff", "CapBnd", "NoNewPrivs"))))
with socket.socket() as port:
    port.bind(("127.0.0.1", 0))
path = pathlib.Path("file")
path.touch()
try:
    os.chown(path, 12345, 12345)
except PermissionError:
    print("chown refused")
"""
LOW_PORT = """
import socket
with socket.socket() as port:
    port.bind(("127.0.0.1", 811))
print("bound")
"""
NET_BIND_SERVICE = f"{1 << 10:016x}"


@pytest.fixture(autouse=True)
def no_cached_answer() -> Iterator[None]:
    rights.drop_rights.cache_clear()
    yield
    rights.drop_rights.cache_clear()


def output_of(home: Home, code: str, drops_rights: bool) -> str:
    child = Child("child", (sys.executable, "-c", code), home.root, env=os.environ, drops_rights=drops_rights)
    process = Process(child, home)
    process.start()
    assert eventually(lambda: process.poll() is not None)
    return process.tail()


def kept_rights(pid: int) -> list[str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return [
        line.split()[1] for line in lines if line.startswith(("CapEff", "CapPrm", "CapBnd", "NoNewPrivs"))
    ]


def test_a_child_that_drops_rights_keeps_only_that_of_low_ports(tmp_path: Path) -> None:
    home = Home.open(tmp_path)

    output = output_of(home, ATTEMPT, drops_rights=True)

    if os.geteuid() == 0:
        assert output.splitlines() == [f"{NET_BIND_SERVICE} {NET_BIND_SERVICE} 1", "chown refused"]
        assert output_of(home, LOW_PORT, drops_rights=True) == "bound"
        assert "chown refused" not in output_of(home, ATTEMPT, drops_rights=False), "root can change owners"
    else:
        assert rights.drop_rights() == () and "chown refused" in output


def test_without_a_working_setpriv_the_command_is_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setpriv = tmp_path / "setpriv"
    setpriv.write_text("#!/bin/sh\nexit 1\n")
    setpriv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert rights.drop_rights() == ()

    rights.drop_rights.cache_clear()
    setpriv.unlink()
    assert rights.drop_rights() == ()


def test_web_worker_beat_and_redis_have_no_rights_of_root(migrated_root: Path) -> None:
    up = Running(migrated_root, "app.up")
    try:
        up.wait_for("ready")
        if os.geteuid() == 0:
            assert not any("rights of root" in line for line in up.lines)
        by_name = {
            name: kept_rights(up.pid(name)) for name in ("web-1", "worker", "beat", "redis", "postgres")
        }
    finally:
        up.stop()

    none = "0" * 16
    shed = [NET_BIND_SERVICE] * 3 + ["1"] if os.geteuid() == 0 else [none, none, by_name["web-1"][2], "0"]
    assert by_name["web-1"] == by_name["worker"] == by_name["beat"] == by_name["redis"] == shed
    assert by_name["postgres"][:2] == [none, none]
