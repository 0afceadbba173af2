"""One call for a crowd."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from app.stream.single_flight import SingleFlight
from app.stream.store import DatabaseUnavailable
from tests.stream.helpers import Passages, in_threads
from tests.support.system import wait_for


class Calls:
    """A function that is held back until ``gate`` opens, then gives its number or raises ``error``."""

    def __init__(self) -> None:
        self.made = 0
        self.gate, self.called = threading.Event(), threading.Event()
        self.error: BaseException | None = None

    def __call__(self) -> int:
        self.made += 1
        made = self.made
        self.called.set()
        assert self.gate.wait(60)
        if self.error:
            raise self.error
        return made


class Crowd:
    """Threads that ask at the same moment, and what each of them got."""

    def __init__(self, flight: SingleFlight[int], calls: Calls, count: int) -> None:
        self.answers: list[Any] = []
        self._threads = [
            threading.Thread(target=self._ask, args=(flight, calls), daemon=True) for _ in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, flight: SingleFlight[int], calls: Calls) -> None:
        try:
            self.answers.append(flight("key", calls))
        except BaseException as error:
            self.answers.append(error)

    def all(self) -> list[Any]:
        for thread in self._threads:
            thread.join(60)
        return self.answers


class Reluctant:
    """A lock that lets others run before it is taken, as any lock may."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        for _ in range(5):
            os.sched_yield()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.fixture
def flight() -> SingleFlight[int]:
    return SingleFlight()


def test_a_crowd_makes_one_call_and_shares_its_result(flight: SingleFlight[int]):
    calls, passages = Calls(), Passages(flight)
    crowd = Crowd(flight, calls, 20)
    wait_for("all to have asked", lambda: passages.count == 20)

    calls.gate.set()

    assert crowd.all() == [1] * 20 and calls.made == 1


def test_other_keys_do_not_wait():
    flight, calls = SingleFlight[Any](), Calls()
    held = threading.Thread(target=flight, args=("held", calls), daemon=True)
    held.start()
    assert calls.called.wait(60)

    assert flight("other", lambda: 7) == 7

    calls.gate.set()
    held.join(60)


def test_an_error_is_everybodys_and_the_next_asks_again(flight: SingleFlight[int]):
    calls = Calls()
    calls.error = DatabaseUnavailable("away, as asked")
    crowd = Crowd(flight, calls, 5)
    calls.gate.set()

    assert all(isinstance(answer, DatabaseUnavailable) for answer in crowd.all())
    calls.error = None
    assert flight("key", calls) == calls.made


def test_whoever_is_ended_while_asking_does_not_end_the_others(flight: SingleFlight[int]):
    calls = Calls()
    calls.error = KeyboardInterrupt()
    crowd = Crowd(flight, calls, 3)
    assert calls.called.wait(60)
    calls.gate.set()

    assert {type(answer) for answer in crowd.all()} <= {KeyboardInterrupt, DatabaseUnavailable}


def test_an_answer_is_not_given_to_those_who_ask_after_it(
    flight: SingleFlight[int], monkeypatch: pytest.MonkeyPatch
):
    """Who asks again because the answer was too old must get a newer one."""
    calls = Calls()
    calls.gate.set()
    monkeypatch.setattr(flight, "_lock", Reluctant())

    def ask_twice() -> None:
        for _ in range(50):
            assert flight("key", calls) < flight("key", calls)

    in_threads([ask_twice] * 4)
