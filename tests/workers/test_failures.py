"""What a viewer is told of a job that has failed, wherever it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.system import System, User, wait_for


def errors(user: User, task_id: str, **query: Any) -> list[tuple[str, str, str | None]]:
    """Level, last line of the message, and phase of the lines that are errors."""
    found = user.get(f"tasks/{task_id}/logs", errors=True, limit=1000, **query)["logs"]
    return [(line["level"], line["message"].splitlines()[-1], line["phase"]) for line in found]


@pytest.mark.parametrize(
    ("place", "phase", "kind", "function", "failing"),
    [
        ("phase", "convert", "ValueError", "invoices", "raise ValueError"),
        ("loop", "convert", "KeyError", "convert", 'PRICES[row["currency"]]'),
        ("library", "convert", "JSONDecodeError", "invoices", "json.loads"),
        ("between", None, "ConnectionError", "invoices", "raise ConnectionError"),
        ("first", None, "PermissionError", "invoices", "raise PermissionError"),
    ],
)
def test_a_failure_names_its_phase_and_its_source_and_is_one_line(
    user: User, place: str, phase: str | None, kind: str, function: str, failing: str
) -> None:
    task_id = user.start("test_invoices", place=place)

    error = user.finished(task_id)["task"]["error"]

    assert (error["type"], error.get("phase")) == (kind, phase)
    source = error["source"]
    assert (source["file"], source["function"]) == ("tests/support/failing_jobs.py", function)
    assert failing in source["lines"][source["line"] - source["first_line"]]
    (line,) = [line for line in errors(user, task_id) if line[1].split(":")[0].endswith(kind)]
    assert line == ("ERROR", error["traceback"].splitlines()[-1], phase)
    of_phase = errors(user, task_id, phase="convert")
    assert (line in of_phase) is (phase == "convert")


def test_the_source_shows_no_secret(user: User) -> None:
    source = user.finished(user.start("test_invoices", place="between"))["task"]["error"]["source"]

    assert not any("correct horse" in line for line in source["lines"])
    assert any('password = "[redacted]"' in line for line in source["lines"])


def test_a_lost_worker_and_a_cancel_name_the_phase_and_a_cancel_is_no_error(
    user: User, tmp_path: Path
) -> None:
    (tmp_path / "gate").touch()
    lost, cancelled = (
        user.start("test_dies", how="kill", gate=str(tmp_path / "gate")),
        user.start("test_half"),
    )
    wait_for("its second phase", lambda: user.status(cancelled)["task"]["current_phase"] == "turning")
    user.client.post(f"/api/v2/tasks/{cancelled}/cancel")

    assert "phase" not in user.finished(lost)["task"]["error"]
    assert errors(user, lost) == [("ERROR", "The process that ran this task ended: signal 9 (SIGKILL)", None)]
    assert user.finished(cancelled)["task"]["error"] == {
        "type": "Cancelled",
        "message": "Cancelled",
        "traceback": None,
        "phase": "turning",
    }
    assert errors(user, cancelled) == []


def test_a_result_that_cannot_be_stored_says_so(user: User) -> None:
    error = user.finished(user.start("test_unstorable"))["task"]["error"]

    assert (error["type"], error["message"]) == (
        "TypeError",
        "The result cannot be stored: Type is not JSON serializable: object",
    )


def test_the_failure_of_a_step_is_in_its_phase_of_the_parent(user: User) -> None:
    task_id = user.start("orchestrate", steps=[{"job_type": "test_fail", "params": {"text": "out of paper"}}])

    assert user.finished(task_id)["task"]["error"]["phase"] == "1_test_fail"
    assert errors(user, task_id) == [("ERROR", "Step 1 (test_fail): out of paper", "1_test_fail")]


def test_errors_are_lines_of_that_level_and_those_of_items(user: User) -> None:
    task_id = user.start("test_bad_items", count=40, every=10)
    user.finished(task_id)

    assert errors(user, task_id) == [
        ("WARNING", "item 10 cannot be read", "check"),
        ("WARNING", "item 20 cannot be read", "check"),
        ("ERROR", "the list of items is old", "check"),
        ("WARNING", "item 30 cannot be read", "check"),
        ("WARNING", "item 40 cannot be read", "check"),
    ]
    logs = user.get(f"tasks/{task_id}/logs", limit=1000)["logs"]
    assert [line["message"] for line in logs if line.get("item_error")] == [
        f"item {n} cannot be read" for n in (10, 20, 30, 40)
    ]


def test_a_message_is_no_error_of_an_item_whatever_it_holds(user: User) -> None:
    task_id = user.start("test_echo", text='{"item_error":true}')
    user.finished(task_id)

    assert errors(user, task_id) == []


def test_source_lines_can_be_switched_off(database: str, other_redis_url: str, tmp_path: Path) -> None:
    system = System(database, other_redis_url, tmp_path)
    with system.running(TASKROOM_SOURCE_LINES="0"), system.guest() as user:
        error = user.finished(user.start("test_fail"))["task"]["error"]

    assert error["phase"] == "doomed" and "source" not in error
