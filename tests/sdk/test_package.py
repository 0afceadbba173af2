"""The wheel of the package, in an environment that has nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import taskroom

SDK = Path(__file__).resolve().parents[2] / "sdk"
OLDEST = 9
PROGRAM = """
import json, logging, os, sys, threading
before = set(sys.modules)
import taskroom
from taskroom import phases, server
standard = {*json.loads(sys.argv[1]), *getattr(sys, "stdlib_module_names", ())}  # Python 3.9 does not know its own
imported = sorted({name.partition(".")[0] for name in set(sys.modules) - before} - standard)
told = []

class Client:
    def begin(self, task_id, attempt, on_cancel, event, **fields): told.append(event["status"])
    def event(self, task_id, attempt, event): told.append(event.get("message") or event.get("status") or event["type"])
    def linger(self): pass
    def flush(self, timeout, patience): return True

server.connect = lambda url, key: Client()
phases.REPORT_SECONDS = 1e9  # however slow the machine is
with taskroom.run("train", params={"n": 1}, url="x", key="x") as run:
    for n in run.track([1, 2], phase="epochs", message="{n}"):
        run.log(f"line {n}", "warn")
    with taskroom.phase("rest") as rest:
        rest.advance()
    for target in (lambda: print("printed"), lambda: 1 / 0):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    logging.getLogger("x").warning("logged")
    child = os.fork() or os._exit(0)
    os.waitpid(child, 0)
told = [text.partition("\\n")[0].partition(" the thread")[0] for text in told]
print(json.dumps([imported, taskroom.__file__, told]))
"""
TOLD = [
    *("STARTED", "STARTED", "active", "line 1", "line 2", "2", "phase_complete"),
    *("STARTED", "active", "completed", "phase_complete"),
    *("printed", "An exception ended", "logged", "SUCCESS"),
]


def pythons() -> list[str]:
    """Each Python of this machine that the package is for."""
    names = [f"python3.{minor}" for minor in range(OLDEST, 20)]
    paths = [path for name in names if (path := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    paths += [str(path) for name in names for path in pyenv.glob(f"versions/*/bin/{name}")]
    found = {sys.executable}
    for path in paths:
        ask = (path, "-c", "import sys; print(sys.executable)")  # the path may be that of a script
        found.add(subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip())
    return sorted(found - {""})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, by the setuptools of this environment: a build leaves files beside its source."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    shutil.copytree(SDK, folder / "sdk", ignore=ignored)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder)
    pip(sys.executable, "wheel", *options, folder / "sdk")
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Python of an environment with the wheel alone, and without pip."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", folder), check=True)
    python = folder / "bin/python"
    pip(sys.executable, "--python", python, "install", "--no-index", "--no-deps", wheel)
    yield python
    shutil.rmtree(folder)


def pip(python: str, *arguments: str | Path) -> None:
    command = (python, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_has_the_package_with_its_types_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    sources = {path.relative_to(SDK).as_posix() for path in SDK.glob("taskroom/**/*.py")}

    assert wheel.name.endswith("-py3-none-any.whl")
    assert names == sources | {"taskroom/py.typed"}


def test_it_needs_python_3_9_and_no_other_package(wheel: Path) -> None:
    (name,) = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/METADATA")]
    metadata = zipfile.ZipFile(wheel).read(name).decode().partition("\n\n")[0].splitlines()

    assert "Requires-Python: >=3.9" in metadata
    assert not [line for line in metadata if line.startswith("Requires-Dist") and "extra ==" not in line]


def test_alone_it_imports_the_standard_library_only_and_reports(bare: Path, tmp_path: Path) -> None:
    imported, file, told = run(str(bare), tmp_path)

    assert imported == ["taskroom"]
    assert file.startswith(str(bare.parents[1])), "the wheel, not the folder of the project"
    assert told == TOLD


def test_it_runs_without_a_warning_on_each_python_of_this_machine(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)

    for python in pythons():
        imported, file, told = run(python, tmp_path)

        assert (imported, told) == (["taskroom"], TOLD), python
        assert file.startswith(str(tmp_path))


def run(python: str, folder: Path) -> list[Any]:
    """What the program tells, with a line of what it printed before; without a line on stderr but for its own log."""
    command = (python, "-W", "error", "-c", PROGRAM, json.dumps(sorted(sys.stdlib_module_names)))
    done = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (python, done.stderr)
    assert done.stderr.startswith("An exception ended the thread") and done.stderr.endswith("\nlogged\n")
    printed, told = done.stdout.splitlines()
    assert printed == "printed"
    found: list[Any] = json.loads(told)
    return found


def test_the_projects_own_environment_has_it_from_its_folder() -> None:
    assert Path(taskroom.__file__).parent == SDK / "taskroom"
