"""What a task reports, whichever pool of Celery runs it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.instrument.shop import Shop

pytestmark = pytest.mark.slow


def test_a_task_is_reported_with_its_arguments_worker_and_result(pooled: Shop) -> None:
    one = pooled.send("add", 1, 2)

    end = pooled.ended(one, "SUCCESS")

    assert end["result"] == 3
    assert pooled.statuses(one) == ["STARTED", "SUCCESS"]
    worker = pooled.fields(one).pop("worker")
    assert worker.startswith(f"{pooled.host()}/")
    assert pooled.fields(one) == {
        "job_type": "tests.instrument.project.add",
        "params": {"x": 1, "y": 2},
        "queue": pooled.queue,
        "can_retry": True,
        "worker": worker,
        "lease_seconds": 120,
    }


def test_each_delivery_is_an_attempt_of_its_own(pooled: Shop) -> None:
    one = pooled.send("flaky")

    pooled.ended(one, "SUCCESS")

    assert pooled.statuses(one) == ["STARTED", "RETRY", "STARTED", "SUCCESS"]
    first, second = pooled.attempts(one)
    assert first.startswith(f"0-{pooled.host()}-") and second.startswith(f"1-{pooled.host()}-")
    assert max(map(len, (first, second))) <= 64
    # Celery names the task as the parent of its own retry.
    assert pooled.lines(one) == ["try 0, parent None", f"try 1, parent {one}"]
    assert "parent_id" not in pooled.fields(one)


def test_a_retry_at_once_waits_a_moment_for_the_server(pooled: Shop) -> None:
    pooled.ended(pooled.send("flaky"), "SUCCESS")

    waits = {(one["timeout"], one["patience"]) for one in pooled.said("flush")}
    assert waits == {(1.0, 0.2)}


def test_a_retry_says_when_and_why(pooled: Shop) -> None:
    one = pooled.send("later")

    pooled.ended(one, "SUCCESS")

    (retry,) = [event for event in pooled.events(one, "task_status") if event["status"] == "RETRY"]
    assert 0 < retry["retry_in"] <= 1  # until the time that Celery has chosen
    assert (retry["error"]["type"], retry["error"]["message"]) == ("ValueError", "busy")


def test_a_failure_has_its_traceback(pooled: Shop) -> None:
    one = pooled.send("fails")

    error = pooled.ended(one, "FAILURE")["error"]

    assert (error["type"], error["message"]) == ("ValueError", "no such thing")
    assert 'raise ValueError("no such thing")' in error["traceback"]


def test_a_failure_names_its_phase_and_its_source_and_is_no_line_of_its_own(pooled: Shop) -> None:
    one = pooled.send("fails")

    error = pooled.ended(one, "FAILURE")["error"]

    source = error["source"]
    assert (source["file"], source["function"]) == ("tests/instrument/project.py", "fails")
    failing = source["lines"][source["line"] - source["first_line"]]
    assert failing.strip() == 'raise ValueError("no such thing")'
    assert error["phase"] is None
    assert not any("Traceback" in line for line in pooled.lines(one)), (
        "the server makes the line of the error"
    )


def test_logging_and_prints_are_lines(pooled: Shop) -> None:
    one = pooled.send("talk")

    pooled.ended(one, "SUCCESS")

    lines = [(line["level"], line["message"], line["component"]) for line in pooled.events(one, "log")]
    assert lines == [
        ("INFO", "through the root logger", "shop.plain"),
        ("WARNING", "through the logger of tasks", "shop.tasks"),
        ("INFO", "a b", "stdout"),  # print writes it in three pieces
        ("WARNING", "careful", "stderr"),
        ("INFO", "no newline", "stdout"),
    ]


def test_states_are_phases_and_progress(pooled: Shop) -> None:
    one = pooled.send("states")

    pooled.ended(one, "SUCCESS")

    phases = [
        (e["phase_id"], e["status"], e["message"], e["processed_count"], e["total_count"])
        for e in pooled.events(one, "phase_update")
    ]
    assert phases == [
        ("downloading", "active", "file 1", 1, 3),
        ("downloading", "in_progress", "file 2", 2, 3),
        ("downloading", "in_progress", "file 3", 3, 3),
        ("downloading", "completed", "file 3", 3, 3),
        ("progress", "active", "sorting", 40, 100),
        ("progress", "completed", "sorting", 40, 100),
    ]
    assert [e["progress"] for e in pooled.events(one, "task_status") if "progress" in e] == [40]


def test_the_recorder_of_celery_progress_is_a_phase(pooled: Shop) -> None:
    one = pooled.send("recorded")

    pooled.ended(one, "SUCCESS")

    progress = [e["progress"] for e in pooled.events(one, "task_status") if "progress" in e]
    assert progress == [25, 50, 75, 100]
    (complete,) = pooled.events(one, "phase_complete")
    assert (complete["phase_id"], complete["processed_count"], complete["total_count"]) == ("progress", 4, 4)


@pytest.mark.parametrize(
    ("state", "status", "told"),
    [
        ("DONE_BY_ME", "SUCCESS", {"result": {"exc_type": "Broken", "exc_message": "by itself", "size": 3}}),
        ("FAILURE", "FAILURE", {"error": {"type": "Broken", "message": "by itself"}}),
        ("REVOKED", "REVOKED", {}),
    ],
)
def test_of_an_ignored_task_its_own_state_counts(
    pooled: Shop, state: str, status: str, told: dict[str, Any]
) -> None:
    one = pooled.send("own_end", state)

    end = pooled.ended(one, status)

    assert {name: value for name, value in end.items() if name not in ("type", "timestamp", "status")} == told


def test_a_rejected_message_is_a_failure_and_one_that_comes_again_another_attempt(pooled: Shop) -> None:
    again, never = pooled.send("rejects", True), pooled.send("rejects", False)

    pooled.ended(again, "SUCCESS")
    error = pooled.ended(never, "FAILURE")["error"]

    assert pooled.statuses(again) == ["STARTED", "RETRY", "STARTED", "SUCCESS"]
    assert (error["type"], error["message"]) == ("Reject", "not for me")


def test_a_task_that_replaces_itself_goes_on_under_its_id(pooled: Shop) -> None:
    one = pooled.send("replaces")

    assert pooled.ended(one, "SUCCESS")["result"] == 42

    assert pooled.statuses(one) == ["STARTED", "RETRY", "STARTED", "SUCCESS"]


def test_a_task_class_that_wraps_calls_is_called_as_ever(pooled: Shop) -> None:
    one = pooled.send("timed")

    assert pooled.ended(one, "SUCCESS")["result"] == one

    assert pooled.lines(one) == ["called", "returned SUCCESS"]


def test_a_shared_task_is_reported(pooled: Shop) -> None:
    one = str(pooled.sender.send_task("shop.shared").id)

    pooled.ended(one, "SUCCESS")

    assert pooled.lines(one) == ["shared"]


def test_a_child_of_the_task_reports_for_it_and_does_not_end_it(pooled: Shop) -> None:
    one = pooled.send("forks")

    assert pooled.ended(one, "SUCCESS")["result"] == "in the parent"

    assert pooled.lines(one) == ["in the child", "also in the child"]
    assert pooled.statuses(one) == ["STARTED", "SUCCESS"]


def test_a_thread_of_the_task_reports_for_it(pooled: Shop) -> None:
    one = pooled.send("threaded")

    pooled.ended(one, "SUCCESS")

    assert pooled.lines(one) == ["in a thread, id None"]  # Celery's request is of the task's own thread


def test_an_eager_task_within_a_task_is_its_child(pooled: Shop) -> None:
    one = pooled.send("nested")

    inner = pooled.ended(one, "SUCCESS")["result"]

    assert pooled.ended(inner, "SUCCESS")["result"] == 7
    assert pooled.fields(inner)["parent_id"] == one
    assert len(pooled.attempts(inner)) == 1
    assert pooled.fields(inner)["can_retry"] is False
    assert pooled.lines(one) == ["before", "after"]
    assert pooled.lines(inner) == []


def test_a_task_that_was_sent_by_another_waits_below_it(pooled: Shop) -> None:
    one = pooled.send("spawns")

    child = pooled.ended(one, "SUCCESS")["result"]
    pooled.ended(child, "SUCCESS")

    # A worker may have the message before the sender says that it waits.
    statuses = pooled.statuses(child)
    assert statuses.count("PENDING") == 1
    assert [status for status in statuses if status != "PENDING"] == ["STARTED", "SUCCESS"]
    assert pooled.fields(child)["parent_id"] == pooled.fields(child)["root_id"] == one
    (waits,) = [said for said in pooled.of(child) if said["attempt"] is None and said["kind"] == "task"]
    assert (waits["fields"]["params"], waits["fields"]["queue"]) == ({"x": 1, "y": 1}, pooled.queue)
