"""``with taskroom.run(…)``: what a server is told of a block of code, whatever leaves the block."""

from __future__ import annotations

import os
import re
from contextvars import Context
from typing import Any
from uuid import UUID

import pytest

import taskroom
from taskroom import server
from tests.sdk.memory import MemoryClient


def test_a_run_is_told_with_its_beginning_and_its_end(client: MemoryClient) -> None:
    with taskroom.run("train", title="ResNet", params={"depth": 50}, lease_seconds=0) as run:
        run.result({"loss": 0.1})
        assert client.statuses(run.id) == ["STARTED"]

    task = client.tasks[run.id]
    assert UUID(run.id).version == 4
    assert (task["job_type"], task["title"], task["params"]) == ("train", "ResNet", {"depth": 50})
    assert (task["lease_seconds"], "parent_id" in task) == (0, False)
    assert client.statuses(run.id) == ["STARTED", "SUCCESS"]
    assert client.of(run.id)[-1]["result"] == {"loss": 0.1}
    assert run.url == f"https://rooms.example/runs/{run.id}"
    assert client.flushed == [(2.0, 0.2)]


def test_every_event_names_the_attempt(client: MemoryClient) -> None:
    with taskroom.run("first") as first, taskroom.run("second") as second:
        second.log("x")

    attempts = [client.tasks[run.id]["attempt"] for run in (first, second)]
    assert {(task_id, attempt) for task_id, attempt, _ in client.events} == {
        (first.id, attempts[0]),
        (second.id, attempts[1]),
    }
    assert attempts[0] != attempts[1]
    assert all(0 < len(attempt) <= 64 for attempt in attempts)


def test_an_exception_is_the_failure_and_is_raised_on(client: MemoryClient) -> None:
    with pytest.raises(ZeroDivisionError), taskroom.run("train") as run:
        1 / 0  # noqa: B018

    assert client.statuses(run.id) == ["STARTED", "FAILURE"]
    error = client.of(run.id)[-1]["error"]
    assert (error["type"], error["message"]) == ("ZeroDivisionError", "division by zero")
    assert error["traceback"].startswith("Traceback (most recent call last):")
    assert "1 / 0" in error["traceback"]


def test_the_texts_of_a_failure_are_bounded_and_keep_what_names_it(client: MemoryClient) -> None:
    with pytest.raises(ValueError), taskroom.run("train") as run:
        raise ValueError("long " * 10_000 + "the end")

    error = client.of(run.id)[-1]["error"]
    assert (len(error["message"]), len(error["traceback"])) == (2_000, 16_000)
    assert error["message"].startswith("long long") and error["message"].endswith("50,007 characters in all]")
    assert error["traceback"].startswith("… [cut: 50,") and error["traceback"].endswith("the end\n")


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (KeyboardInterrupt(), "REVOKED"),
        (SystemExit(), "SUCCESS"),
        (SystemExit(0), "SUCCESS"),
        (SystemExit(3), "FAILURE"),
        (SystemExit("no disk"), "FAILURE"),
        (GeneratorExit(), "FAILURE"),
    ],
)
def test_what_is_no_exception_ends_the_run_as_it_should(
    client: MemoryClient, raised: BaseException, status: str
) -> None:
    with pytest.raises(type(raised)), taskroom.run("train") as run:
        raise raised

    assert client.statuses(run.id) == ["STARTED", status]
    if status == "FAILURE":
        assert client.of(run.id)[-1]["error"]["type"] == type(raised).__name__


def test_a_cancel_stops_the_run_at_its_next_report(client: MemoryClient) -> None:
    done = []
    with (
        pytest.raises(taskroom.TaskCancelled, match="somebody has cancelled the task"),
        taskroom.run("train") as run,
    ):
        for n in run.track(range(10), phase="epochs"):
            done.append(n)
            if n == 2:
                client.cancel(run.id)

    assert done == [0, 1, 2]
    assert client.statuses(run.id) == ["STARTED", "REVOKED"]


def test_an_attempt_that_another_has_replaced_stops_and_ends_nothing(client: MemoryClient) -> None:
    with pytest.raises(taskroom.AttemptSuperseded), taskroom.run("train") as run:
        client.cancel(run.id, "superseded")
        client.cancel(run.id)
        run.log("refused")

    assert client.statuses(run.id) == ["STARTED"]


def test_a_run_within_a_run_is_its_child(client: MemoryClient) -> None:
    with taskroom.run("all") as outer:
        with taskroom.run("part") as inner:
            taskroom.log("of the part")
        taskroom.log("of the whole")

    assert client.tasks[inner.id]["parent_id"] == outer.id
    assert client.lines(inner.id) == [("INFO", "of the part", None)]
    assert client.lines(outer.id) == [("INFO", "of the whole", None)]
    assert client.statuses(outer.id) == client.statuses(inner.id) == ["STARTED", "SUCCESS"]


def test_phases_progress_and_lines_are_told(client: MemoryClient) -> None:
    with taskroom.run("train") as run:
        with run.phase("load", total=2, message="reading") as load:
            load.advance()
            load.error()
            run.log("careful", "warn", component="reader")
        for _ in run.track("abc", phase="train", message="{n} of {total}"):
            pass
        run.progress(150, "nearly")

    assert [(e["phase_id"], e["status"]) for e in client.of(run.id, "phase_update")] == [
        ("load", "active"),
        ("load", "completed"),
        ("train", "active"),
        ("train", "completed"),
    ]
    load_done, train_done = client.of(run.id, "phase_complete")
    assert (load_done["processed_count"], load_done["total_count"], load_done["error_count"]) == (1, 2, 1)
    assert (train_done["processed_count"], train_done["total_count"]) == (3, 3)
    assert client.of(run.id, "phase_update")[-1]["message"] == "3 of 3"
    (line,) = client.of(run.id, "log")
    assert (line["level"], line["component"], line["phase"]) == ("WARNING", "reader", "load")
    told = client.of(run.id, "task_status")[-2]
    assert (told["progress"], told["current_phase_message"]) == (100.0, "nearly")


def test_a_run_that_is_over_reports_no_more(client: MemoryClient) -> None:
    with taskroom.run("train") as run:
        pass
    told = len(client.events)

    run.log("too late")
    taskroom.log("too late")
    with pytest.raises(RuntimeError, match="begun already"), run:
        pass

    assert len(client.events) == told


def test_a_run_may_end_in_another_context_such_as_a_later_cell_of_a_notebook(client: MemoryClient) -> None:
    run = taskroom.run("train")

    Context().run(run.__enter__)
    Context().run(run.__exit__, None, None, None)

    assert client.statuses(run.id) == ["STARTED", "SUCCESS"]
    assert taskroom.current().id == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"a": (1, 2)}, {"a": (1, 2)}),
        ({"a": "x" * 70_000}, {"truncated": True, "bytes": 70_009}),
        ({(1, 2): 3}, {"text": "{(1, 2): 3}"}),
        (None, {}),
    ],
)
def test_parameters_are_bounded_before_they_are_sent(client: MemoryClient, given: Any, told: Any) -> None:
    with taskroom.run("train", params=given) as run:
        pass

    assert client.tasks[run.id]["params"] == told


def test_a_result_that_is_too_large_is_its_size(client: MemoryClient) -> None:
    with taskroom.run("train") as run:
        run.result("x" * 300_000)

    assert client.of(run.id)[-1]["result"] == {"truncated": True, "bytes": 300_002}


def test_a_forked_child_reports_and_does_not_end_the_run(
    client: MemoryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = taskroom.run("train")
    with run:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        run.log("from the child")

    assert client.lines(run.id) == [("INFO", "from the child", None)]
    assert client.statuses(run.id) == ["STARTED"]
    assert client.flushed, "what the child has reported leaves before the child does"


@pytest.mark.usefixtures("nowhere")
def test_without_a_server_the_code_runs_and_one_warning_says_what_to_set(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):
        with taskroom.run("train") as run:
            run.log("x")
            assert list(taskroom.track([1, 2], "epochs")) == [1, 2]

    assert run.url is None
    assert [record.getMessage() for record in caplog.records] == [
        "runs are reported nowhere: set TASKROOM_URL and TASKROOM_KEY, or pass url= and key="
    ]


def test_a_server_may_be_given_in_the_call(
    client: MemoryClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("TASKROOM_URL", "TASKROOM_KEY"):
        monkeypatch.delenv(name)
    with taskroom.run("train", url="https://rooms.example", key="trk_x") as run:
        pass

    assert client.statuses(run.id) == ["STARTED", "SUCCESS"]
    assert not caplog.records


@pytest.mark.usefixtures("nowhere")
def test_an_environment_that_names_no_server_ends_no_program_and_a_call_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(url: str, key: str) -> MemoryClient:
        raise ValueError(f"{url!r} is no address")

    monkeypatch.setattr(server, "connect", refuse)
    with pytest.raises(ValueError, match="'rooms' is no address"):
        taskroom.run("train", url="rooms", key="trk_x")
    monkeypatch.setenv("TASKROOM_URL", "elsewhere")
    monkeypatch.setenv("TASKROOM_KEY", "trk_x")
    with taskroom.run("train") as run:
        run.log("x")

    assert [record.getMessage() for record in caplog.records] == [
        "runs are reported nowhere: 'elsewhere' is no address"
    ]


def test_times_are_as_events_carry_them(client: MemoryClient) -> None:
    with taskroom.run("train") as run:
        run.log("x")

    shape = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
    assert all(shape.fullmatch(event["timestamp"]) for event in client.of(run.id))
