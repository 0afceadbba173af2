"""Whatever becomes of a request: each event is stored once, and in its order."""

from __future__ import annotations

from typing import Any

import pytest

from taskroom._transport.availability import Availability
from taskroom._transport.notices import Notices
from taskroom._transport.settings import Limits
from tests.sdk.transport import server as faults
from tests.sdk.transport.conftest import MakeReporter
from tests.sdk.transport.helpers import Clock, Reporter, numbered
from tests.sdk.transport.server import PATIENCE, Fault, Server

FAULTS = {
    "500": faults.status(500),
    "503": faults.status(503),
    "429": faults.status(429),
    "the answer is cut": faults.cut,
    "closed before": faults.gone,
    "closed after it was stored": faults.stored_and_gone,
    "garbage": faults.garbage,
    "a page of a portal": faults.page,
    "202 and nothing": faults.status(202, b""),
    "JSON that is no answer": faults.status(202, [1]),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_loses_nothing_and_repeats_nothing(reporter: Reporter, server: Server, fault: Fault) -> None:
    reporter.begin("t")
    reporter.log("t", "first")
    reporter.after(1)
    server.script.extend([fault, fault, fault])

    for message in ("second", "third", "fourth"):
        reporter.log("t", message)
        reporter.after(1)
    reporter.all()

    assert server.messages("t") == ["first", "second", "third", "fourth"]
    assert len(server.requests) > 4


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_batch_is_sent_again_unchanged(reporter: Reporter, server: Server, fault: Fault) -> None:
    server.script.append(fault)
    reporter.begin("t")
    reporter.log("t", "x")
    reporter.after(1)
    reporter.log("t", "later")

    reporter.all()

    assert server.requests[0].body == server.requests[1].body
    assert server.messages("t") == ["x", "later"]


def test_after_a_hang_the_batch_is_sent_again(make_reporter: MakeReporter, server: Server) -> None:
    reporter = make_reporter(answer_seconds=0.0)  # it looks once, and gives up
    server.script.append(faults.hang)
    reporter.begin("t")
    reporter.log("t", "x")
    reporter.after(1)
    assert reporter.client._availability.failures == 1

    reporter.all()

    assert server.messages("t") == ["x"]
    assert server.requests[0].body == server.requests[1].body


def test_a_slow_answer_is_an_answer(reporter: Reporter, server: Server) -> None:
    server.script.append(faults.slow)
    reporter.begin("t")
    reporter.log("t", "x")

    reporter.after(1)

    assert reporter.client._availability.failures == 0
    assert len(server.requests) == 1


def test_a_connection_that_the_server_closed_meanwhile_is_no_failure(
    reporter: Reporter, server: Server
) -> None:
    def answer_and_close(handler: Any) -> None:
        faults.answer(handler)
        handler.close_connection = True

    server.script.append(answer_and_close)
    reporter.begin("t")
    reporter.after(1)
    reporter.log("t", "x")
    reporter.turns()

    reporter.after(0.25)

    assert server.messages("t") == ["x"]
    assert [request.connection for request in server.requests] == [1, 2]


def test_nothing_is_sent_while_the_server_is_away_and_the_waits_grow(
    reporter: Reporter, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter.client._availability, "_chance", lambda: 1.0)
    server.script.extend([faults.status(503)] * 9)
    reporter.begin("t")
    reporter.after(1)
    waits = [reporter.client._availability.wait()]

    while server.script:
        sent = len(server.requests)
        reporter.after(waits[-1] - 0.01)
        assert reporter.client._availability.wait() == pytest.approx(0.01)
        assert len(server.requests) == sent
        reporter.after(0.01)
        waits.append(reporter.client._availability.wait())

    assert waits == pytest.approx([0.5, 1, 2, 4, 8, 16, 30, 30, 30])
    reporter.after(30)
    assert server.tasks == {"t": {"job_type": "train"}}


def test_a_wait_is_shorter_by_half_at_most_by_chance() -> None:
    clock = Clock()
    low, high = (Availability(Limits(), clock, lambda c=c: c) for c in (0.0, 1.0))
    for _ in range(3):
        low.failed()
        high.failed()

    assert (low.wait(), high.wait()) == (1.0, 2.0)


@pytest.mark.parametrize(
    "header, wait",
    [("7", 7.0), ("0", 0.25), ("99999999", 300.0), ("soon", 0.25), ("nan", 0.25), ("-5", 0.25)],
)
def test_retry_after_is_honoured(
    reporter: Reporter, server: Server, monkeypatch: pytest.MonkeyPatch, header: str, wait: float
) -> None:
    monkeypatch.setattr(reporter.client._availability, "_chance", lambda: 0.0)
    server.script.append(faults.status(503, Retry_After=header))
    reporter.begin("t")

    assert reporter.after(1) == wait


def test_retry_after_may_be_a_date(
    reporter: Reporter, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_445_412_480.0)
    server.script.append(faults.status(429, Retry_After="Wed, 21 Oct 2015 07:28:09 GMT"))
    reporter.begin("t")

    assert reporter.after(1) == 9.0


def test_what_is_said_while_an_answer_is_awaited_is_encoded_meanwhile(
    reporter: Reporter, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile = reporter.client._thread.sender._meanwhile
    added: list[int] = []

    def once() -> None:
        server.hangs.acquire(timeout=PATIENCE)
        meanwhile()
        added.append(reporter.client._outbox.added)
        reporter.clock.now += 60  # it waits no longer

    monkeypatch.setattr(reporter.client._thread.sender, "_meanwhile", once)
    reporter.begin("t")
    reporter.log("t", "before")

    def say_more(handler: Any) -> None:
        reporter.log("t", *numbered(1_200))
        faults.hang(handler)

    server.script.append(say_more)
    reporter.after(1)

    assert added == [3], "one that hangs, two that are full; 200 wait for more"
    monkeypatch.undo()
    reporter.all()
    assert server.messages("t") == ["before", *numbered(1_200)]


def test_one_warning_a_minute(reporter: Reporter, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.script.extend([faults.status(503)] * 100)
    reporter.begin("t")

    for _ in range(59):
        reporter.after(1)

    warnings = [record.getMessage() for record in caplog.records if record.name == "taskroom"]
    assert warnings == [
        f"Taskroom at {server.url} cannot be reached, and what it should get is kept: status 503 As scripted"
    ]
    assert len(server.requests) > 5


def test_the_next_minute_has_a_warning_of_its_own(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    notices = Notices(clock)

    for _ in range(130):
        notices.warn("away")
        clock.now += 1

    assert len(caplog.records) == 3


def test_a_fault_of_a_handler_of_the_log_ends_nothing(
    reporter: Reporter, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("handler")

    monkeypatch.setattr("taskroom._transport.notices.logger.warning", broken)
    server.script.append(faults.status(503))
    reporter.begin("t")
    reporter.log("t", "x")

    reporter.all()

    assert server.messages("t") == ["x"]
