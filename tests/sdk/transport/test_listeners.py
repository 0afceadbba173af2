"""Whom an answer concerns: the runs that are cancelled or superseded, and who starts tasks again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sdk.transport.conftest import MakeReporter
from tests.sdk.transport.helpers import Reporter
from tests.sdk.transport.server import Server


def test_a_cancelled_run_hears_of_it(reporter: Reporter, server: Server) -> None:
    heard: list[str] = []
    reporter.client.on_cancel("t", heard.append)
    reporter.client.on_cancel("other", heard.append)
    reporter.begin("t")
    reporter.begin("other")
    reporter.after(1)
    assert heard == []

    server.cancelled.add("t")
    reporter.log("t", "x")
    reporter.after(1)

    assert heard == ["cancelled"]
    reporter.log("t", "y")
    reporter.after(1)
    assert heard == ["cancelled"]
    server.over.add(("t", "a1"))
    reporter.log("t", "z")
    reporter.after(1)
    assert heard == ["cancelled", "superseded"]


def test_an_attempt_that_begins_after_the_cancel_hears_first_of_the_cancel(
    reporter: Reporter, server: Server
) -> None:
    heard: list[str] = []
    server.cancelled.add("t")
    server.over.add(("t", "a1"))  # such an attempt is refused as well
    reporter.client.on_cancel("t", heard.append)

    reporter.begin("t")
    reporter.after(1)

    assert heard == ["cancelled", "superseded"]


def test_a_superseded_attempt_hears_of_it_and_the_one_that_runs_does_not(
    make_reporter: MakeReporter, server: Server
) -> None:
    server.over.add(("t", "a1"))
    old, new = make_reporter(), make_reporter()
    heard: list[str] = []
    old.client.on_cancel("t", lambda why: heard.append(f"old: {why}"))
    old.begin("t", "a1")
    new.client.on_cancel("t", lambda why: heard.append(f"new: {why}"))
    new.begin("t", "a2")
    new.log("t", "a late line of the first attempt", attempt="a1")

    old.after(1)
    new.after(1)

    assert heard == ["old: superseded"]


def test_who_starts_tasks_again_hears_which(reporter: Reporter, server: Server) -> None:
    heard: list[str] = []
    reporter.client.on_resend(heard.append)
    server.resend.append("t")
    reporter.begin("other")

    reporter.after(1)

    assert heard == ["t"]


def test_a_callback_that_fails_ends_nothing(
    reporter: Reporter, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(why: str) -> None:
        raise RuntimeError(why)

    server.cancelled.add("t")
    reporter.client.on_cancel("t", failing)
    reporter.begin("t")
    reporter.after(1)
    reporter.log("t", "x")
    reporter.after(1)

    assert server.messages("t") == ["x"]
    assert "a callback failed" in caplog.text


def test_ids_and_pages_are_those_of_this_process(reporter: Reporter, server: Server) -> None:
    def answer(handler: Any) -> None:
        row = {"task_id": "uuid-1", "id": "job 7", "sequence": 1, "url": "https://rooms.example/runs/uuid-1"}
        again = {"task_id": "uuid-2", "retry_of": "uuid-1", "sequence": 1}
        handler.send(202, {"tasks": [row, again], "refused": [], "cancel": ["uuid-2"], "resend": []})

    heard: list[str] = []
    server.script.append(answer)
    reporter.client.on_cancel("job 7", heard.append)
    reporter.begin("job 7")
    assert reporter.client.page("job 7") == f"{server.url}/runs/job 7"

    reporter.after(1)

    assert heard == ["cancelled"]
    assert reporter.client.page("job 7") == "https://rooms.example/runs/uuid-1"
