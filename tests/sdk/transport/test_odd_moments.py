"""Odd events, and odd moments: callbacks, threads that cannot start, faults."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.transport.conftest import MakeClient
from tests.sdk.transport.helpers import line
from tests.sdk.transport.server import PATIENCE, Server


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


@pytest.mark.parametrize("event", [{}, {"type": []}, {"type": "task_status", "status": []}, {"message": 7}])
def test_an_event_of_an_odd_kind_raises_nothing(
    make_client: MakeClient, server: Server, event: dict[str, Any]
) -> None:
    client = make_client()
    client.task("t", "a1", job_type="train")

    client.event("t", "a1", event)

    assert client.flush(PATIENCE)
    assert len(server.events["t"]) == 1


@pytest.mark.parametrize("what", ["flush", "close"])
def test_a_callback_may_flush_and_close(make_client: MakeClient, server: Server, what: str) -> None:
    client, done = make_client(), threading.Event()

    def stop(why: str) -> None:
        client.event("t", "a1", line("stopped"))
        getattr(client, what)(PATIENCE)
        done.set()

    server.cancelled.add("t")
    client.on_cancel("t", stop)
    client.task("t", "a1", job_type="train")
    assert done.wait(PATIENCE)

    client.event("t", "a1", line("later"))
    server.wait_for("the lines", lambda: server.messages("t") == ["stopped", "later"])


def test_a_thread_that_cannot_be_started_loses_nothing(
    make_client: MakeClient, server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    client = make_client()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more)
        client.task("t", "a1", job_type="train")
        client.event("t", "a1", line("x"))
        assert client.flush(PATIENCE)
    assert len(files(spool)) == 1

    client.event("t", "a1", line("y"))
    assert client.flush(PATIENCE)

    assert server.messages("t") == ["x", "y"]


def test_the_thread_has_not_the_context_of_the_task_that_was_the_first(
    make_client: MakeClient, server: Server
) -> None:
    import contextvars

    run: contextvars.ContextVar[str] = contextvars.ContextVar("run", default="none")
    seen: list[str] = []
    server.cancelled.add("t")
    client = make_client()
    client.on_cancel("t", lambda why: seen.append(run.get()))
    token = run.set("a task")
    client.task("t", "a1", job_type="train")
    run.reset(token)

    assert client.flush(PATIENCE)

    assert seen == ["none"]


def test_a_fault_in_the_thread_does_not_end_it(
    make_client: MakeClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    deliver, faults_left = client._thread.sender._delivery.deliver, [RuntimeError("a bug")]

    def broken(*args: Any) -> Any:
        if faults_left:
            raise faults_left.pop()
        return deliver(*args)

    monkeypatch.setattr(client._thread.sender._delivery, "deliver", broken)
    monkeypatch.setattr("taskroom._transport.sender.REST_SECONDS", 0.01)
    client.task("t", "a1", job_type="train")

    assert client.flush(PATIENCE)
    server.wait_for("the task", lambda: "t" in server.tasks)
