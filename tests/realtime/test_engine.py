"""Engine.IO as we run it: ids, pings and handshakes."""

from __future__ import annotations

import gc
import logging
import time
import weakref
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from app.realtime.socketio import engine as engines
from app.realtime.socketio.engine import Engine
from tests.realtime.fakes import SID, FakeSession, FakeWebSocket, Line
from tests.support.system import wait_for


def test_ids_begin_with_the_process(line: Line):
    assert line.eio.generate_id() == "3-abc"


def test_pings_of_many_sessions_come_from_one_task(line: Line, monkeypatch: pytest.MonkeyPatch):
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    sessions = [FakeSession(True) for _ in range(50)]
    for n, session in enumerate(sessions):
        now = 1000.0 + n / 100
        line.eio.start_background_task(session._send_ping)
    sessions[3].closed = sessions[4].closing = True
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    line.eio.sleep = sleep  # type: ignore[method-assign]
    (task,) = [target for target, _ in line.eio.background]

    task()

    assert [len(s.pings) for s in sessions] == [1, 1, 1, 0, 0, *[1] * 45]
    assert len(slept) <= 5 and 25 <= now - 1000 <= 26
    line.eio.start_background_task(sessions[0]._send_ping)
    assert len(line.eio.background) == 2, "the next one starts the task again"


def test_a_crowd_that_is_due_together_is_pinged_in_turns(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(line.eio, "ping_interval", 0)
    sessions = [FakeSession(True) for _ in range(1_000)]
    for session in sessions:
        line.eio.start_background_task(session._send_ping)
    turns: list[float] = []
    line.eio.sleep = turns.append  # type: ignore[method-assign]

    line.eio.background[0][0]()

    assert [len(session.pings) for session in sessions] == [1] * 1_000
    assert turns == [0] * 4, "the others have one after every two hundred"


def test_a_session_that_has_gone_is_not_kept_for_its_ping(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(line.eio, "ping_interval", 0)
    session = FakeSession(True)
    line.eio.start_background_task(session._send_ping)
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None

    (task,) = [target for target, _ in line.eio.background]
    task()


def test_a_client_that_cannot_be_pinged_keeps_it_from_nobody(
    line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(line.eio, "ping_interval", 0)
    broken, sound = FakeSession(True), FakeSession(True)
    monkeypatch.setattr(broken, "send", lambda packet: 1 / 0)
    for session in (broken, sound):
        line.eio.start_background_task(session._send_ping)

    with caplog.at_level(logging.ERROR, "taskroom"):
        line.eio.background[0][0]()

    assert len(sound.pings) == 1 and len(caplog.records) == 1


def test_other_background_tasks_are_the_librarys(line: Line):
    def writer() -> None:
        """Of one session."""

    line.eio.start_background_task(writer)

    assert line.eio.background == [(writer, {})]


def answer(line: Line, compression: bool) -> tuple[dict[str, Any], Any]:
    """The handshake's environ as the library sees it, and the WebSocket that is known while it is open."""
    engine = line.engine if not compression else Engine(line.eio, 3, compression=True)
    engine._websockets.clear()
    engine.guard = SimpleNamespace()  # type: ignore[assignment]  # nobody reads here
    ws = FakeWebSocket()
    seen: list[Any] = []

    class Handler(FakeSession):
        """A session, whose WebSocket the library serves by a method of its own."""

        def handle(self, ws: Any) -> list[Any]:
            seen.append(engine.websocket(SID))
            return []

    environ = {"HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate", "ws": ws}
    line.eio._async["websocket"](Handler(True).handle, line.eio)(environ, None)
    assert seen == [ws] and engine.websocket(SID) is None
    return environ, ws


@pytest.mark.parametrize("compression", [True, False])
def test_compression_is_offered_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch, compression: bool):
    monkeypatch.setattr("app.green.patched", lambda: True)
    line = Line(monkeypatch)
    if compression:
        line.eio._async["websocket"] = line.eio._async["websocket"].__mro__[1]

    environ, _ = answer(line, compression)

    assert ("HTTP_SEC_WEBSOCKET_EXTENSIONS" in environ) is compression


@pytest.mark.parametrize("error", [None, ValueError("no packet"), TimeoutError("late")])
def test_an_upgrade_that_comes_to_nothing_leaves_the_session_to_its_polls(
    line: Line, monkeypatch: pytest.MonkeyPatch, error: Exception | None
):
    """Else these would be answered by nothing but NOOPs."""
    monkeypatch.setattr("app.green.limit", lambda seconds, error: nullcontext())
    session, ws = FakeSession(upgraded=False), FakeWebSocket()
    session.upgrading = True
    ws.close = lambda close_data: None  # type: ignore[attr-defined]
    line.engine.guard = SimpleNamespace(refused=lambda sid, why: None)  # type: ignore[assignment]

    def handler(ws: Any) -> list[Any]:
        if error:
            raise error
        return []

    line.engine._serve(session, ws, handler)

    assert not session.upgrading and not session.closed
    assert line.engine.websocket(SID) is None


def test_a_websocket_that_ends_takes_only_itself_away(line: Line):
    session, ws, later = FakeSession(upgraded=True), FakeWebSocket(), FakeWebSocket()
    line.engine.guard = SimpleNamespace()  # type: ignore[assignment]  # nobody reads here

    def handler(ws: Any) -> list[Any]:
        line.engine._websockets[SID] = later
        return []

    line.engine._serve(session, ws, handler)

    assert line.engine.websocket(SID) is later


def test_a_wire_that_is_blocked_is_tried_again(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engines, "RETRY_SECONDS", 0.001)
    tried: list[int] = []

    def ready() -> None:
        tried.append(1)
        if len(tried) < 3:
            Engine.retry(line.engine, ready)

    def broken() -> None:
        raise SystemError("as asked")

    Engine.retry(line.engine, broken)
    Engine.retry(line.engine, ready)

    wait_for("three tries", lambda: len(tried) == 3)
