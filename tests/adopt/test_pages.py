"""What docs/adopt.md shows runs as it stands there, and is on a page afterwards."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.keys import make
from tests.support.system import ROOT, System, User, wait_for

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = (ROOT / "docs/adopt.md").read_text()
RUN_CELLS = "import json, sys; names = {}\nfor cell in json.loads(sys.argv[1]): exec(cell, names)"


def shown(title: str) -> list[str]:
    """The blocks of code below a title, or after a name in bold."""
    start = re.search(rf"^(## |\*\*){re.escape(title)}.*$", PAGE, re.MULTILINE)
    assert start, title
    text = re.split(r"^(?:## |\*\*)", PAGE[start.end() :], maxsplit=1, flags=re.MULTILINE)[0]
    return [code for _, code in BLOCK.findall(text)]


class Run:
    """Runs commands in an empty folder with the two variables that the page names."""

    def __init__(self, folder: Path, url: str, key: str) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = {
            **os.environ,
            "PATH": path,
            "HOME": str(folder),
            "TASKROOM_URL": url,
            "TASKROOM_KEY": key,
        }
        self._folder = folder

    def __call__(self, *command: str | Path) -> str:
        """Returns what the command prints."""
        given: dict[str, Any] = {"env": self._environment, "cwd": self._folder}
        done = subprocess.run(command, **given, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    @contextmanager
    def beside(self, line: str) -> Iterator[None]:
        """Runs the line of a shell meanwhile."""
        with (self._folder / "beside.log").open("wb") as log:
            given: dict[str, Any] = {"env": self._environment, "cwd": self._folder}
            process = subprocess.Popen(shlex.split(line), **given, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def run(system: System, user: User, tmp_path: Path) -> Run:
    return Run(tmp_path, system.url, make(user, "report")["key"])


def reported(user: User, job_type: str) -> tuple[dict[str, Any], list[str]]:
    """The only run of the user, once it has ended, and its lines."""
    (task,) = wait_for("the run", lambda: user.get("tasks")["tasks"])
    task = user.finished(task["task_id"])["task"]
    assert task["job_type"] == job_type
    return task, [
        event["data"]["message"] for event in user.events(task["task_id"]) if event["type"] == "log"
    ]


def test_a_celery_project(run: Run, system: System, user: User, tmp_path: Path, other_redis_url: str) -> None:
    code, worker, call = shown("Celery: one line")[:3]
    assert "redis://localhost/0" in code
    (tmp_path / "shop.py").write_text(code.replace("redis://localhost/0", other_redis_url))
    # The worker of the page has a level at which what the task logs is a line.
    with run.beside(worker):
        run("sh", "-c", call)

        task, lines = reported(user, "shop.resize")

    assert task["status"] == "SUCCESS" and task["params"] == {"picture": "a.png"}
    assert lines == ["opens a.png", "resized a.png"]


def test_a_script(run: Run, system: System, user: User) -> None:
    code, _ = shown("A script")  # the other is for a unit of systemd

    printed = run(sys.executable, "-c", code)

    task, lines = reported(user, "thumbnails")
    assert printed.strip() == f"{system.url}/runs/{task['task_id']}"
    assert task["status"] == "SUCCESS" and task["title"] == "Pictures of May"
    assert task["result"] == {"pictures": 3}
    assert lines == ["resized a.png", "resized b.png", "resized c.png"]


def test_a_command(run: Run, user: User) -> None:
    (code,) = shown("A command")

    printed = run("sh", "-c", code)

    assert printed == "first\nsecond\n"
    task, lines = reported(user, "backup")
    assert task["status"] == "SUCCESS"
    assert lines == ["first", "second"]


def test_cells_of_a_notebook(run: Run, user: User) -> None:
    alone, *shared = shown("A notebook")

    printed = run(sys.executable, "-c", RUN_CELLS, json.dumps([alone, *shared]))

    assert printed == "rate 0.1\nrate 0.01\nrate 0.001\n"
    rows = user.get("tasks")["tasks"]
    assert [(row["job_type"], row["status"]) for row in rows] == [("explore", "SUCCESS")] * 2
    by_title = {
        row["title"]: [e["data"]["message"] for e in user.events(row["task_id"]) if e["type"] == "log"]
        for row in rows
    }
    assert by_title == {
        "Which learning rate?": ["rate 0.1", "rate 0.01", "rate 0.001"],
        "explore": ["from another cell"],
    }


@pytest.mark.parametrize("language", ["curl", "Node", "Go"])
def test_another_language_takes_twenty_lines(language: str) -> None:
    (code,) = shown(language)

    assert len([line for line in code.splitlines() if line.strip()]) <= 20


@pytest.mark.parametrize(
    ("language", "file", "command"),
    [("curl", "report.sh", "sh"), ("Node", "report.mjs", "node"), ("Go", "report.go", "go run")],
)
def test_another_language(
    language: str, file: str, command: str, run: Run, user: User, tmp_path: Path
) -> None:
    program, *arguments = command.split()
    if not shutil.which(program):
        pytest.skip(f"this machine has no {program}")
    (code,) = shown(language)
    (tmp_path / file).write_text(code)

    run(program, *arguments, file)

    task, lines = reported(user, "pictures")
    assert task["status"] == "SUCCESS" and task["result"] == {"pictures": 3}
    assert lines == ["picture 1", "picture 2", "picture 3"]
