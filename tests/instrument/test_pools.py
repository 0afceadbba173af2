"""What a task reports, whichever pool of Celery runs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.instrument.shop import Shop
from tests.support.system import wait_for

pytestmark = pytest.mark.slow


POOLS = {"prefork": 2, "threads": 2, "gevent": 2, "solo": 1}  # with the tasks that each runs at once


@pytest.fixture(scope="module", params=list(POOLS))
def shop(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    shop_in: Callable[..., Shop],
) -> Iterator[Shop]:
    shop = shop_in(tmp_path_factory.mktemp(request.param), {}, {})
    with shop.worker(request.param):
        yield shop


def runs_at_once(shop: Shop) -> int:
    return POOLS[shop.folder.name.rstrip("0")]


def test_a_task_is_reported_with_its_arguments_worker_and_result(shop: Shop) -> None:
    one = shop.send("add", 1, 2)

    end = shop.ended(one, "SUCCESS")

    assert end["result"] == 3
    assert shop.statuses(one) == ["STARTED", "SUCCESS"]
    worker = shop.fields(one).pop("worker")
    assert worker.startswith("one@host/")
    assert shop.fields(one) == {
        "job_type": "tests.instrument.project.add",
        "params": {"x": 1, "y": 2},
        "queue": shop.queue,
        "can_retry": True,
        "worker": worker,
    }


def test_each_delivery_is_an_attempt_of_its_own(shop: Shop) -> None:
    one = shop.send("flaky")

    shop.ended(one, "SUCCESS")

    assert shop.statuses(one) == ["STARTED", "RETRY", "STARTED", "SUCCESS"]
    first, second = shop.attempts(one)
    assert first.startswith("0-one@host-") and second.startswith("1-one@host-")
    assert max(map(len, (first, second))) <= 64
    # Celery names the task as the parent of its own retry.
    assert shop.lines(one) == ["try 0, parent None", f"try 1, parent {one}"]
    assert "parent_id" not in shop.fields(one)


def test_a_retry_says_when_and_why(shop: Shop) -> None:
    one = shop.send("later")

    shop.ended(one, "SUCCESS")

    (retry,) = [event for event in shop.events(one, "task_status") if event["status"] == "RETRY"]
    assert retry["retry_in"] == 1
    assert (retry["error"]["type"], retry["error"]["message"]) == ("ValueError", "busy")


def test_a_failure_has_its_traceback(shop: Shop) -> None:
    one = shop.send("fails")

    error = shop.ended(one, "FAILURE")["error"]

    assert (error["type"], error["message"]) == ("ValueError", "no such thing")
    assert 'raise ValueError("no such thing")' in error["traceback"]


def test_logging_and_prints_are_lines(shop: Shop) -> None:
    one = shop.send("talk")

    shop.ended(one, "SUCCESS")

    lines = [(line["level"], line["message"], line["component"]) for line in shop.events(one, "log")]
    assert lines == [
        ("INFO", "through the root logger", "shop.plain"),
        ("WARNING", "through the logger of tasks", "shop.tasks"),
        ("INFO", "a b", "stdout"),  # print writes it in three pieces
        ("WARNING", "careful", "stderr"),
        ("INFO", "no newline", "stdout"),
    ]


def test_states_are_phases_and_progress(shop: Shop) -> None:
    one = shop.send("states")

    shop.ended(one, "SUCCESS")

    phases = [
        (e["phase_id"], e["status"], e["message"], e["processed_count"], e["total_count"])
        for e in shop.events(one, "phase_update")
    ]
    assert phases == [
        ("downloading", "active", "", 0, None),
        ("downloading", "in_progress", "file 1", 1, 3),
        ("downloading", "in_progress", "file 2", 2, 3),
        ("downloading", "in_progress", "file 3", 3, 3),
        ("downloading", "completed", "file 3", 3, 3),
        ("progress", "active", "", 0, None),
        ("progress", "in_progress", "sorting", 40, 100),
        ("progress", "completed", "sorting", 40, 100),
    ]
    assert [e["progress"] for e in shop.events(one, "task_status") if "progress" in e] == [40]


def test_the_recorder_of_celery_progress_is_a_phase(shop: Shop) -> None:
    one = shop.send("recorded")

    shop.ended(one, "SUCCESS")

    progress = [e["progress"] for e in shop.events(one, "task_status") if "progress" in e]
    assert progress == [25, 50, 75, 100]
    (complete,) = shop.events(one, "phase_complete")
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
    shop: Shop, state: str, status: str, told: dict[str, Any]
) -> None:
    one = shop.send("own_end", state)

    end = shop.ended(one, status)

    assert {name: value for name, value in end.items() if name not in ("type", "timestamp", "status")} == told


def test_a_rejected_message_is_a_failure_and_one_that_comes_again_another_attempt(shop: Shop) -> None:
    again, never = shop.send("rejects", True), shop.send("rejects", False)

    shop.ended(again, "SUCCESS")
    error = shop.ended(never, "FAILURE")["error"]

    assert shop.statuses(again) == ["STARTED", "RETRY", "STARTED", "SUCCESS"]
    assert (error["type"], error["message"]) == ("Reject", "not for me")


def test_a_task_that_replaces_itself_goes_on_under_its_id(shop: Shop) -> None:
    one = shop.send("replaces")

    assert shop.ended(one, "SUCCESS")["result"] == 42

    assert shop.statuses(one) == ["STARTED", "RETRY", "STARTED", "SUCCESS"]


def test_a_task_class_that_wraps_calls_is_called_as_ever(shop: Shop) -> None:
    one = shop.send("timed")

    assert shop.ended(one, "SUCCESS")["result"] == one

    assert shop.lines(one) == ["called", "returned SUCCESS"]


def test_a_shared_task_is_reported(shop: Shop) -> None:
    one = str(shop.sender.send_task("shop.shared").id)

    shop.ended(one, "SUCCESS")

    assert shop.lines(one) == ["shared"]


def test_a_child_of_the_task_reports_for_it_and_does_not_end_it(shop: Shop) -> None:
    one = shop.send("forks")

    assert shop.ended(one, "SUCCESS")["result"] == "in the parent"

    assert shop.lines(one) == ["in the child", "also in the child"]
    assert shop.statuses(one) == ["STARTED", "SUCCESS"]


def test_a_thread_of_the_task_reports_for_it(shop: Shop) -> None:
    one = shop.send("threaded")

    shop.ended(one, "SUCCESS")

    assert shop.lines(one) == ["in a thread, id None"]  # Celery's request is of the task's own thread


def test_an_eager_task_within_a_task_is_its_child(shop: Shop) -> None:
    one = shop.send("nested")

    inner = shop.ended(one, "SUCCESS")["result"]

    assert shop.ended(inner, "SUCCESS")["result"] == 7
    assert shop.fields(inner)["parent_id"] == one
    assert len(shop.attempts(inner)) == 1
    assert shop.fields(inner)["can_retry"] is False
    assert shop.lines(one) == ["before", "after"]
    assert shop.lines(inner) == []


def test_a_task_that_was_sent_by_another_waits_below_it(shop: Shop) -> None:
    one = shop.send("spawns")

    child = shop.ended(one, "SUCCESS")["result"]
    shop.ended(child, "SUCCESS")

    assert shop.statuses(child) == ["PENDING", "STARTED", "SUCCESS"]
    assert shop.fields(child)["parent_id"] == shop.fields(child)["root_id"] == one
    first = shop.of(child)[0]
    assert (first["attempt"], first["fields"]["params"], first["fields"]["queue"]) == (
        None,
        {"x": 1, "y": 1},
        shop.queue,
    )


def test_a_cancelled_task_ends_at_its_next_report_and_is_not_tried_again(shop: Shop) -> None:
    one = shop.send("cancelled")
    shop.has_line(one, "line 0")

    shop.cancel(one)
    shop.ended(one, "REVOKED")

    assert shop.sender.AsyncResult(one).state == "REVOKED"
    two = shop.send("add", 1, 1)  # the worker takes the next task
    shop.ended(two, "SUCCESS")
    assert shop.statuses(one) == ["STARTED", "REVOKED"]


def test_a_task_of_which_another_attempt_runs_stops_without_an_end(shop: Shop) -> None:
    one = shop.send("cancelled")
    shop.has_line(one, "line 0")

    shop.cancel(one, "superseded")
    two = shop.send("add", 1, 1)
    shop.ended(two, "SUCCESS")

    wait = shop.sender.send_task("tests.instrument.project.add", (2, 2))
    shop.ended(str(wait.id), "SUCCESS")
    assert shop.statuses(one) == ["STARTED"]


def test_what_celery_calls_around_a_cancelled_task_is_not_cut(shop: Shop) -> None:
    one = shop.send("careless")
    shop.has_line(one, "begun")

    shop.cancel(one)
    shop.allow(f"go-{one}")
    shop.ended(one, "SUCCESS")  # it has reported nothing after the cancel, but for what comes after its end

    assert shop.lines(one) == ["begun", "in on_success", "in after_return"]
    assert shop.ended(shop.send("add", 1, 1), "SUCCESS")["result"] == 2


def test_a_task_that_is_cancelled_before_it_begins_is_not_run(shop: Shop) -> None:
    one = "7d9a1b7e-7c61-4f0e-9a55-16c2d0d1a8f1"
    shop.cancel(one)

    shop.send("talk", task_id=one)
    shop.ended(one, "REVOKED")

    assert shop.lines(one) == []


def test_tasks_beside_each_other_have_their_own_lines(shop: Shop) -> None:
    ids = [shop.send("waits", "go-beside") for _ in range(runs_at_once(shop))]
    for one in ids:
        shop.has_line(one, "waiting")
    shop.allow("go-beside")
    for one in ids:
        shop.ended(one, "SUCCESS")

    for one in ids:
        first, last = shop.lines(one)
        assert first.endswith(one) and last == "went on"


@pytest.mark.parametrize("shop", ["gevent"], indirect=True)
def test_a_task_in_a_greenlet_is_revoked(shop: Shop) -> None:
    one = shop.send("waits", "never")
    shop.has_line(one, "waiting")

    shop.sender.control.revoke(one, terminate=True)

    shop.ended(one, "REVOKED")


def test_a_worker_says_what_it_is_and_runs(shop: Shop) -> None:
    versions = shop.run(
        "import celery, kombu, platform\nprint(platform.python_version())\n"
        "print(celery.__version__)\nprint(kombu.__version__)"
    )
    one = shop.send("waits", "go-beat")
    running = wait_for(
        "a beat with the task", lambda: [beat for beat in shop.beats("one@host") if one in beat["running"]]
    )[0]
    shop.allow("go-beat")
    shop.ended(one, "SUCCESS")

    memory = running.pop("memory_bytes")
    assert 20_000_000 < memory < 2_000_000_000
    assert running == {
        "name": "one@host",
        "host": os.uname().nodename,
        "pid": shop.pid,
        "pool": shop.folder.name.rstrip("0"),
        "slots": runs_at_once(shop),
        "queues": [shop.queue],
        "running": [one],
        "versions": dict(zip(("python", "celery", "kombu"), versions, strict=True)),
        "beat_seconds": 0.5,  # those of the tests
    }
