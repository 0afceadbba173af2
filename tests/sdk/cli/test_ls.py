"""``taskroom ls``: runs as a table and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from taskroom.cli.ls import table
from taskroom.cli.text import columns_of, duration, fitted
from tests.sdk.cli.command import Command
from tests.support.system import User

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def row(**more: Any) -> dict[str, Any]:
    return {
        "task_id": "11111111-2222-4333-8444-555555555555",
        "status": "STARTED",
        "progress": 42.4,
        "progress_known": True,
        "job_type": "backup",
        "title": "Nightly",
        "created_at": "2026-01-02T11:00:00.000000Z",
        "started_at": "2026-01-02T11:58:30.000000Z",
        "finished_at": None,
        **more,
    }


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    other = row(
        task_id="22222222-2222-4333-8444-555555555555", status="SUCCESS", progress=100, title="日本 job"
    )
    other["finished_at"] = "2026-01-02T11:58:32.500000Z"

    assert list(table([row(), other], NOW, None)) == [
        "RUN       STATUS   DONE  TYPE    AGE    TOOK    TITLE",
        "11111111  STARTED  42%   backup  1h 0m  1m 30s  Nightly",
        "22222222  SUCCESS  100%  backup  1h 0m  2.5s    日本 job",
    ]


def test_no_line_is_wider_than_the_terminal() -> None:
    lines = list(table([row(title="日本" * 40), row(title="short")], NOW, 88))

    assert max(map(columns_of, lines)) <= 88
    assert lines[1].endswith("…") and lines[2].endswith("short")
    assert lines[1].startswith(
        "11111111-2222-4333-8444-555555555555  "
    )  # two that begin alike are shown whole


def test_what_is_not_known_is_left_empty_and_no_title_moves_the_cursor() -> None:
    waiting = row(status="PENDING", progress=0, progress_known=False, started_at=None, title="a\x1b[2J\nb")

    (_, line) = table([waiting], NOW, None)

    assert line.split() == ["11111111", "PENDING", "backup", "1h", "0m", "a␛[2J", "b"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0.0s"), (9.94, "9.9s"), (59.9, "59s"), (60, "1m 0s"), (3_661, "1h 1m"), (90_000, "1d 1h")],
)
def test_lengths_of_time_have_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_texts_fit_columns() -> None:
    assert (fitted("abc", 5), fitted("abcdef", 4)) == ("abc  ", "abc…")
    assert fitted("日本語", 4) == "日… "


def test_the_newest_runs_with_filters(taskroom: Command, user: User) -> None:
    runs = [user.start("test_echo", text="x"), user.start("test_fail"), user.start("test_echo", text="y")]
    for run in runs:
        user.finished(run)

    every = [json.loads(line)["task_id"] for line in taskroom("ls", "--json").stdout.splitlines()]
    newest = taskroom("ls", "--limit", "1", "--json")
    failed = taskroom("ls", "--status", "failure")
    echoes = taskroom("ls", "--type", "test_echo").stdout.splitlines()

    assert every == runs[::-1]
    assert [json.loads(line)["task_id"] for line in newest.stdout.splitlines()] == runs[2:]
    head, line = failed.stdout.splitlines()
    assert head.split() == ["RUN", "STATUS", "DONE", "TYPE", "AGE", "TOOK", "TITLE"]
    assert line.startswith(f"{runs[1][:8]}  FAILURE")
    assert [line[:8] for line in echoes] == ["RUN     ", runs[2][:8], runs[0][:8]]


def test_columns_of_the_environment_bound_the_table(taskroom: Command, user: User) -> None:
    user.finished(user.start("test_echo", text="x"))

    lines = taskroom.of(COLUMNS="60")("ls").stdout.splitlines()

    assert max(map(len, lines)) <= 60


def test_nothing_is_listed_where_there_is_nothing(taskroom: Command) -> None:
    done = taskroom("ls")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_limit_out_of_bounds_is_refused(taskroom: Command) -> None:
    done = taskroom("ls", "--limit", "0")

    assert (done.returncode, done.stderr) == (2, "taskroom: --limit is a number from 1 to 10,000, not 0\n")
