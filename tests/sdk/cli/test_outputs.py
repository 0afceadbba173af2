"""``taskroom outputs``: what a run has saved, and a download that is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.cli.command import Command
from tests.support.system import User


@pytest.fixture
def run(user: User) -> str:
    files = [{"name": "report.csv", "text": "shop,sales\n"}, {"name": "all.json", "size": 1_234_567}]
    task_id = user.start("test_outputs", files=files)
    user.finished(task_id)
    return task_id


def test_outputs_are_listed_and_downloaded(taskroom: Command, run: str, tmp_path: Path) -> None:
    assert taskroom("outputs", run).stdout.splitlines() == [
        "   1,234,567  all.json",
        "          11  report.csv",
    ]

    target = tmp_path / "here.csv"
    done = taskroom("outputs", run, "report.csv", "-o", str(target))
    assert (done.returncode, done.stdout, target.read_text()) == (0, "", "shop,sales\n")
    assert taskroom("outputs", run, "report.csv", "-o", "-").stdout == "shop,sales\n"


def test_a_file_that_is_there_stays(taskroom: Command, run: str, tmp_path: Path) -> None:
    target = tmp_path / "here.csv"
    target.write_text("mine")

    done = taskroom("outputs", run, "report.csv", "-o", str(target))

    assert (done.returncode, target.read_text()) == (2, "mine")
    assert "File exists; choose another file with -o" in done.stderr


def test_what_is_not_there_leaves_no_file(taskroom: Command, run: str, tmp_path: Path) -> None:
    target = tmp_path / "here.csv"

    done = taskroom("outputs", run, "other.csv", "-o", str(target))

    assert (done.returncode, target.exists()) == (2, False)
    assert "no such output" in done.stderr
