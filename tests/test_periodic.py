"""A function that a thread calls again and again: when, until when, and what becomes of a call that fails."""

from __future__ import annotations

import logging
import threading

import pytest

from app.errors import survived
from app.periodic import Periodic
from app.stream.store import DatabaseUnavailable
from tests.support.soon import Soon
from tests.support.system import wait_for


class Calls:
    """A Periodic whose waits the test ends; ``turn`` makes the next call, which raises ``error`` if there is one."""

    def __init__(self, seconds: float = 5.0, **how: object) -> None:
        self.made = 0
        self.error: Exception | None = None
        self.ended, self.soon = threading.Event(), Soon()
        self.periodic = Periodic("calls", seconds, self._call, at_end=self.ended.set, **how)  # type: ignore[arg-type]
        self.periodic._soon = self.soon

    def _call(self) -> None:
        self.made += 1
        if self.error is not None:
            raise self.error

    def waits(self, times: int) -> None:
        wait_for(f"wait {times}", lambda: len(self.soon.waits) >= times)

    def turn(self) -> None:
        waits = len(self.soon.waits)
        self.periodic.wake()
        self.waits(waits + 1)


def test_the_first_call_comes_after_the_first_wait_or_at_once() -> None:
    later, at_once = Calls(), Calls(at_once=True)

    later.periodic.start(), at_once.periodic.start()
    later.waits(1), at_once.waits(2)

    assert (later.made, at_once.made) == (0, 1)
    assert (later.soon.waits, at_once.soon.waits) == ([5.0], [0.0, 5.0])
    later.periodic.stop(), at_once.periodic.stop()


def test_it_is_started_once_woken_early_and_stopped() -> None:
    calls = Calls()

    calls.periodic.start(), calls.periodic.start()
    calls.waits(1)
    calls.turn()
    calls.turn()
    names = lambda: [thread.name for thread in threading.enumerate()]  # noqa: E731
    wait_for("the threads of other tests to end", lambda: names().count("taskroom-calls") == 1)
    calls.periodic.stop()

    assert calls.ended.wait(60) and calls.made == 2


def test_a_wait_may_be_another_each_time() -> None:
    waits = iter((1.0, 2.0, 3.0))
    calls = Calls()
    calls.periodic._seconds = lambda: next(waits)

    calls.periodic.start()
    calls.waits(1)
    calls.turn()
    calls.turn()
    calls.periodic.stop()

    assert calls.soon.waits[:3] == [1.0, 2.0, 3.0]


def test_steady_calls_come_by_the_clock() -> None:
    calls = Calls(seconds=3600.0, steady=True)

    calls.periodic.start()
    calls.waits(1)
    calls.turn()  # an hour too early, so that the one after it is due in two
    calls.periodic.stop()

    assert calls.soon.waits[1] == pytest.approx(7200.0, abs=60)


def test_what_passes_is_a_line_until_a_call_succeeds(caplog: pytest.LogCaptureFixture) -> None:
    calls = Calls()
    calls.periodic.start()
    calls.waits(1)

    with caplog.at_level(logging.WARNING, "taskroom.calls"):
        for error in (
            DatabaseUnavailable("gone"),
            DatabaseUnavailable("gone"),
            None,
            DatabaseUnavailable("gone"),
        ):
            calls.error = error
            calls.turn()
    calls.periodic.stop()

    assert caplog.messages == ["taskroom-calls cannot do its work for now: gone"] * 2
    assert not any(record.exc_info for record in caplog.records)


def test_a_fault_is_logged_with_its_traceback_and_the_next_call_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls, before = Calls(), survived.bugs["calls"]
    calls.periodic.start()
    calls.waits(1)
    calls.error = KeyError("a fault of ours")

    with caplog.at_level(logging.WARNING, "taskroom.calls"):
        calls.turn()
        calls.turn()
    calls.periodic.stop()

    assert calls.made == 2 and survived.bugs["calls"] == before + 2
    assert [(record.levelname, bool(record.exc_info)) for record in caplog.records] == [("ERROR", True)] * 2
