from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.auth.owners import Owner, Owners
from app.stream.store import DatabaseUnavailable
from tests.api.fakes import FakePostgres
from tests.support.clock import Clock
from tests.support.system import wait_for

ANN = Owner("ann", "acme")


@pytest.fixture
def postgres() -> FakePostgres:
    return FakePostgres()


def crowd(asked: Owners, postgres: FakePostgres, size: int = 40) -> list[object]:
    """What each of a crowd is told that asks while the first question is on its way."""
    postgres.gate.clear()
    come = threading.Barrier(size + 1)

    def ask() -> object:
        come.wait(60)
        try:
            return asked.of("task")
        except DatabaseUnavailable as error:
            return error

    with ThreadPoolExecutor(size) as pool:
        answers = [pool.submit(ask) for _ in range(size)]
        come.wait(60)
        wait_for("the question", lambda: postgres.asked)
        postgres.gate.set()
        return [future.result(60) for future in answers]


def test_a_crowd_costs_one_question(postgres: FakePostgres) -> None:
    postgres.rows["task"] = ANN

    assert crowd(Owners(postgres.read), postgres) == [ANN] * 40
    assert postgres.asked == ["task"]


def test_an_error_reaches_the_crowd_and_is_not_kept(postgres: FakePostgres) -> None:
    asked = Owners(postgres.read)
    postgres.away = True
    postgres.rows["task"] = ANN

    assert all(isinstance(answers, DatabaseUnavailable) for answers in crowd(asked, postgres))

    postgres.away = False
    assert asked.of("task") == ANN


def test_an_absent_task_is_not_kept(postgres: FakePostgres) -> None:
    asked = Owners(postgres.read)
    assert asked.of("task") is None
    postgres.rows["task"] = ANN
    assert asked.of("task") == ANN


def test_a_deleted_task_is_noticed_in_time(postgres: FakePostgres) -> None:
    clock = Clock()
    asked = Owners(postgres.read, clock.monotonic)
    postgres.rows["task"] = ANN
    assert asked.of("task") == ANN
    del postgres.rows["task"]
    clock.now += 29.9
    assert asked.of("task") == ANN
    clock.now += 0.2
    assert asked.of("task") is None
