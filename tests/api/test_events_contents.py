"""What the events of an observed task hold: folded, cut and completed as in a run of our own workers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.reporters import PENDING, STARTED, Part, Reporter, line, new_task, part, phase, status
from tests.support.system import User


def sent(user: User, *events: Part) -> list[dict[str, Any]]:
    """Sends the events of a task that runs; returns them as they were stored, each with its type."""
    reporter = Reporter(user)
    task_id = reporter.started()
    reporter.accepted(part(task_id, *events))
    return [{"type": e["type"]} | e["data"] for e in user.events(task_id)][3:]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        *(("warn", "WARNING"), ("Warning", "WARNING"), ("FATAL", "CRITICAL"), ("critical", "CRITICAL")),
        *(
            ("trace", "DEBUG"),
            ("verbose", "DEBUG"),
            ("notice", "INFO"),
            ("err", "ERROR"),
            (" error ", "ERROR"),
        ),
        *(("LOUD", "INFO"), ("", "INFO"), (30, "WARNING"), (35, "WARNING"), (5, "DEBUG"), (None, None)),
    ],
)
def test_levels_are_folded(user: User, given: Any, stored: str | None) -> None:
    if stored is None:
        (event,) = sent(user, line("x"))
        assert event["level"] == "INFO"
    else:
        (event,) = sent(user, line("x", level=given))
        assert event["level"] == stored


def test_what_is_over_a_limit_is_cut_and_not_refused(user: User) -> None:
    cut, update, _, message = sent(
        user,
        line("x" * 20_000, component="c" * 200, phase="p" * 200),
        phase("n\nm" + "p" * 200, message="m" * 3_000, processed_count=-1, total_count=2.7),
        status("STARTED", current_phase_message="m" * 3_000, progress=120),
    )

    assert cut["message"].endswith("… [cut: 20,000 characters in all]")
    assert (len(cut["phase"]), cut["component"][:128]) == (128, "c" * 128)
    assert update["phase_id"] == "n m" + "p" * 125
    assert update["message"].endswith("… [cut: 3,000 characters in all]")
    assert (update["processed_count"], update["total_count"]) == (0, 2)
    assert message["current_phase_message"].endswith("… [cut: 3,000 characters in all]")
    assert message["progress"] == 99.9


def test_phases_beyond_the_limit_share_one_name(user: User) -> None:
    reporter = Reporter(user)
    task_id = reporter.started()

    reporter.accepted(part(task_id, *(phase(f"p{n}") for n in range(502))))

    names = [p["phase_id"] for p in user.status(task_id)["phases"]]
    assert len(names) == 501 and names[-2:] == ["p499", "further phases"]


def test_characters_that_cannot_be_stored_are_replaced(user: User) -> None:
    (event,) = sent(user, line("nul \0 here\r\nid: 9\n\ndata: forged\u2028"))

    assert event["message"] == "nul \ufffd here\r\nid: 9\n\ndata: forged\u2028"


def test_the_end_has_its_result_error_and_traceback(user: User) -> None:
    error = {"type": "E" * 200, "message": "m" * 3_000, "traceback": "T" * 20_000}
    large = new_task(STARTED, status("SUCCESS", result={"x": "y" * 300_000}))
    failed = new_task(STARTED, phase("read"), status("FAILURE", error=error))
    silent = new_task(STARTED, status("FAILURE", error={}))

    Reporter(user).accepted(large, failed, silent)

    assert user.status(large["task_id"])["task"]["result"] == {"truncated": True, "bytes": 300_008}
    snapshot = user.status(failed["task_id"])
    found = snapshot["task"]["error"]
    assert found["type"].startswith("E" * 128) and found["message"].endswith("[cut: 3,000 characters in all]")
    assert found["traceback"].startswith("… [cut: 20,000 characters in all]")
    assert found["phase"] == "read"
    assert [p["status"] for p in snapshot["phases"]] == ["error"]
    assert user.status(silent["task_id"])["task"]["error"] == {
        "type": "TaskFailed",
        "message": "The worker gave no reason",
        "traceback": None,
    }


def test_a_failure_may_say_its_phase_and_its_source(user: User) -> None:
    source = {"file": "shop.rb", "line": 12, "function": "f" * 200, "lines": ["x" * 300] * 9}
    error = {"type": "E", "message": "m", "phase": "write", "source": source}
    failed = new_task(STARTED, phase("read"), status("FAILURE", error=error))
    sloppy = new_task(STARTED, status("FAILURE", error=error | {"source": "shop.rb:12"}))

    (_, row) = Reporter(user).accepted(failed, sloppy)

    found = user.status(failed["task_id"])["task"]["error"]
    assert found["phase"] == "write"
    assert (found["source"]["line"], found["source"]["first_line"]) == (12, 1)
    assert found["source"]["function"].startswith("f" * 128 + "… [cut:")
    assert [text[200:] for text in found["source"]["lines"]] == ["… [cut: 300 characters in all]"] * 7
    assert row["warnings"] == {"events.1.error.source": ["Not of its kind, and left out."]}
    assert "source" not in user.status(sloppy["task_id"])["task"]["error"]


def test_with_one_phase_the_overall_progress_is_that_of_the_phase(user: User) -> None:
    reporter = Reporter(user)
    task_id = reporter.started(job_type=f"alone.{user.id}")
    seen = []

    for done in (0, 1, 3):
        reporter.accepted(part(task_id, phase("epochs", "in_progress", processed_count=done, total_count=4)))
        task = user.status(task_id)["task"]
        seen.append((task["progress_known"], task["progress"]))

    assert seen == [(True, 0), (True, 25), (True, 75)]


def test_with_a_second_phase_the_overall_progress_is_not_known(user: User) -> None:
    reporter = Reporter(user)
    one_by_one, at_once = (reporter.started(job_type=f"two.{user.id}") for _ in range(2))
    events = [
        phase("read", "in_progress", processed_count=1, total_count=2),
        {"type": "phase_complete", "phase_id": "read", "processed_count": 2},
        phase("write"),
    ]

    for event in events:
        reporter.accepted(part(one_by_one, event))
    reporter.accepted(part(at_once, *events))

    for task_id in (one_by_one, at_once):
        task = user.status(task_id)["task"]
        assert (task["progress_known"], task["progress"], task["current_phase"]) == (False, 99.9, "write")


def test_progress_that_is_reported_stays_known_with_several_phases(user: User) -> None:
    reporter = Reporter(user)
    task_id = reporter.started(job_type=f"told.{user.id}")

    reporter.accepted(part(task_id, phase("read"), status("STARTED", progress=40), phase("write")))

    task = user.status(task_id)["task"]
    assert (task["progress_known"], task["progress"]) == (True, 40)


def test_the_end_of_an_attempt_without_times_is_not_before_its_lines(user: User) -> None:
    events = sent(user, line("one"), phase("read"), line("two"), {"type": "task_status", "status": "SUCCESS"})

    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
    assert events[-1]["finished_at"] == times[-1]


def test_a_phase_has_its_times_and_counts(user: User) -> None:
    at = "2026-01-02T03:04:05.250000Z"

    update, _, complete = sent(
        user,
        phase("read", message="Reading", processed_count=1, total_count=2, error_count=1, timestamp=at),
        {"type": "phase_complete", "phase_id": "read", "processed_count": 2, "duration_seconds": 1.5},
    )

    assert (update["timestamp"], update["message"]) == (at, "Reading")
    assert [update[f"{name}_count"] for name in ("processed", "total", "error")] == [1, 2, 1]
    assert (complete["processed_count"], complete["duration_seconds"]) == (2, 1.5)


@pytest.mark.parametrize(
    ("given", "stored", "named"),
    [
        ({"type": "log", "message": 42}, {"message": "42"}, "message"),
        ({"type": "log", "message": {"a": [1]}}, {"message": '{"a":[1]}'}, "message"),
        (line("x", level=None), {"message": "x", "level": "INFO"}, "level"),
        (line("x", component=7), {"message": "x", "component": "7"}, "component"),
        (line("x", sequence=7), {"message": "x"}, "sequence"),
        (line("x", timestamp="yesterday"), {"message": "x"}, "timestamp"),
        (phase("read", total_count="many"), {"phase_id": "read", "total_count": None}, "total_count"),
        (status("STARTED", current_phase_message=["a"]), {"current_phase_message": '["a"]'}, None),
    ],
)
def test_a_value_of_a_wrong_kind_takes_nothing_else_along(
    user: User, given: Part, stored: dict[str, Any], named: str | None
) -> None:
    reporter = Reporter(user)
    task_id = reporter.started()

    (row,) = reporter.accepted(part(task_id, line("before"), given, line("after")))

    events = [e["data"] for e in user.events(task_id)][3:]
    assert (events[0]["message"], events[-1]["message"]) == ("before", "after")
    assert {name: events[1].get(name) for name in stored} == stored
    assert list(row["warnings"]) == [f"events.1.{named or 'current_phase_message'}"]


def test_a_sloppy_task_is_stored_and_its_fields_are_named(user: User) -> None:
    sloppy = new_task(STARTED, line("x"), status("FAILURE", error="boom"), attempt=1, colour="red")
    wrong = new_task(STARTED, status("FAILURE", error={"type": 7, "code": 3}))

    rows = Reporter(user).accepted(sloppy, wrong)

    assert user.status(sloppy["task_id"])["task"]["error"] == {
        "type": "TaskFailed",
        "message": "boom",
        "traceback": None,
    }
    assert user.status(wrong["task_id"])["task"]["error"]["type"] == "7"
    assert rows[0]["warnings"] == {
        "colour": ["Unknown field, which is left out."],
        "attempt": ["Not of its kind; its text is taken."],
        "events.2.error": ["Not of its kind; its text is taken."],
    }
    assert set(rows[1]["warnings"]) == {"events.1.error.type", "events.1.error.code"}


def test_a_task_that_was_revoked_says_why_if_its_reporter_does(user: User) -> None:
    late = {"type": "Expired", "message": "It was to begin before noon"}
    expired = new_task(PENDING, status("REVOKED", error=late), attempt=None)
    revoked = new_task(STARTED, status("REVOKED"))

    Reporter(user).accepted(expired, revoked)

    assert user.status(expired["task_id"])["task"]["error"] == late | {"traceback": None}
    assert user.status(revoked["task_id"])["task"]["error"]["type"] == "Cancelled"
