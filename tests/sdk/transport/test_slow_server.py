"""A server that takes its time: nobody whose task is reported waits for its answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import taskroom
from taskroom import script
from taskroom import server as servers
from tests.sdk.transport.conftest import MakeClient
from tests.sdk.transport.helpers import line
from tests.sdk.transport.server import PATIENCE, Fault, Server, hang

FOR_EVER = 10 * PATIENCE  # seconds: who waits so long for the server has its late answer


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


@pytest.fixture
def left() -> threading.Event:
    """Set once the code that is reported has gone on."""
    return threading.Event()


@pytest.fixture
def answer_after(left: threading.Event) -> Callable[[list[bool]], Fault]:
    """A server that answers once the code has gone on, and notes whether it had."""

    def make(noted: list[bool]) -> Fault:
        def answer(handler: Any) -> None:
            noted.append(left.wait(PATIENCE))
            handler.send(*handler.taskroom.store(handler.request_))

        return answer

    return make


def test_a_run_ends_before_a_slow_answer(
    make_client: MakeClient,
    server: Server,
    left: threading.Event,
    answer_after: Callable[[list[bool]], Fault],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, had_left = make_client(keep_seconds=FOR_EVER), list[bool]()
    server.script.append(answer_after(had_left))
    monkeypatch.setattr(servers, "connect", lambda url, key: client)
    monkeypatch.setattr(servers, "_clients", {})
    monkeypatch.setattr(script, "FLUSH_SECONDS", FOR_EVER)

    with taskroom.run("train", stdout=False, url=server.url, key="x") as run:
        run.log("a line")
    left.set()

    server.wait_for("the end", lambda: server.statuses(run.id)[-1:] == ["SUCCESS"])
    assert had_left == [True]
    assert server.messages(run.id) == ["a line"]


def test_a_server_that_is_slow_already_is_not_waited_for_anew(
    make_client: MakeClient, server: Server, spool: Path
) -> None:
    server.script.append(hang)
    client = make_client(keep_seconds=FOR_EVER)
    client.task("t", "a1", job_type="train")
    client.event("t", "a1", line("x"))
    assert server.hangs.acquire(timeout=PATIENCE)
    sender = client._thread.sender
    assert sender.asked_at is not None
    sender.asked_at -= FOR_EVER  # when it was asked
    client.event("t", "a1", line("y"))

    assert client.flush(2 * FOR_EVER, patience=FOR_EVER)

    assert not server.released.is_set() and len(files(spool)) == 1
    server.released.set()
    server.wait_for("both", lambda: server.messages("t") == ["x", "y"])
