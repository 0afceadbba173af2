"""What ``taskroom watch`` says of retries, of errors, and of what failed below a run."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from taskroom.cli.bars import Bars
from taskroom.cli.fold import State
from taskroom.cli.plain import Plain
from taskroom.cli.text import error_text, retry_text
from tests.api.reporters import DONE, STARTED, Reporter, new_task, status
from tests.sdk.cli.command import Command
from tests.support.system import User

AT = "2026-01-02T03:04:05Z"
AWAY = {"type": "OSError", "message": "no route", "traceback": None}


def task(**fields: Any) -> State:
    same = {"status": "STARTED", "title": "Work", "worker": None, "error": None, "progress": 0}
    times = {"updated_at": AT, "started_at": AT, "finished_at": None, "eta_seconds": None}
    return State({"task": {**same, **times, "progress_known": True, **fields}, "phases": [], "sequence": 1})


def retried() -> dict[str, Any]:
    more = {"error": AWAY, "retry_count": 1, "retry_in_seconds": 3, "sequence": 2}
    return {"type": "task_status", "status": "RETRY", "timestamp": AT, **more}


@pytest.mark.parametrize("display", [Plain, Bars])
def test_a_retry_is_a_line(display: type[Plain] | type[Bars], capsys: pytest.CaptureFixture[str]) -> None:
    state, shown = task(), display()
    shown.begin(state)
    state.apply("task_status", retried())
    shown.changed("task_status", state, retried())
    shown.end(state)

    assert "attempt 2 follows in 3.0s: OSError: no route\n" in capsys.readouterr().out


def test_a_retry_at_once_without_a_reason_says_neither() -> None:
    assert retry_text({"retry_count": 4, "retry_in_seconds": 0, "error": None}) == "attempt 5 follows"


@pytest.mark.parametrize("display", [Plain, Bars])
def test_a_cancel_is_said_once(display: type[Plain] | type[Bars], capsys: pytest.CaptureFixture[str]) -> None:
    error = {"type": "Cancelled", "message": "Cancelled", "traceback": None}
    state, shown = task(status="REVOKED", finished_at=AT, error=error), display()

    shown.begin(state)
    shown.end(state)

    assert capsys.readouterr().out.lower().count("cancelled") == 1


@pytest.mark.parametrize(
    ("kind", "message", "text"),
    [
        ("Expired", "expired.", "Expired"),
        ("KeyError", "", "KeyError"),
        ("", "it failed", "it failed"),
        ("Cancelled", "Cancelled by a@example.org", "Cancelled: Cancelled by a@example.org"),
    ],
)
def test_what_type_and_message_say_alike_is_said_once(kind: str, message: str, text: str) -> None:
    assert error_text({"type": kind, "message": message}) == text


def test_what_failed_below_a_run_is_told_at_its_end_and_the_exit_status_is_the_runs(
    taskroom: Command, user: User
) -> None:
    group = str(uuid.uuid4())
    member = new_task(STARTED, DONE, title="Sum", task_id=group)
    failed = status("FAILURE", error={"type": "ValueError", "message": "no sum"})
    body = new_task(STARTED, failed, title="Chord body: total", parent_id=group)
    Reporter(user).accepted(member, body)

    done = taskroom("watch", group)

    assert done.returncode == 0
    assert done.stdout.splitlines()[-2:] == [
        "1 task below failed:",
        f"{body['task_id']}  Chord body: total  ValueError: no sum",
    ]
