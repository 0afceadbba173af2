"""The circuit breaker, on a clock that the test turns."""

from __future__ import annotations

import logging
import threading

import pytest

from app.db.breaker import CLOSED, HALF_OPEN, OPEN, Breaker, BreakerOpen, Call


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("Postgres", 1.0, clock)


def entered(breaker: Breaker, clock: Clock) -> Call:
    """A call that began a moment after whatever was before."""
    clock.now += 0.001
    return breaker.enter()


def opened(breaker: Breaker, clock: Clock) -> None:
    assert breaker.failed(entered(breaker, clock), "gone")


def test_while_all_is_well_all_may_call(breaker: Breaker, clock: Clock):
    calls = [entered(breaker, clock) for _ in range(100)]
    for call in calls:
        breaker.answered(call)

    assert (breaker.state, breaker.openings, breaker.refused) == (CLOSED, 0, 0)


def test_after_a_failure_nobody_calls_for_a_second(breaker: Breaker, clock: Clock):
    opened(breaker, clock)

    for _ in range(9):
        clock.now += 0.1
        with pytest.raises(BreakerOpen, match="Postgres is unavailable"):
            breaker.enter()

    assert (breaker.state, breaker.openings, breaker.refused) == (OPEN, 1, 9)


def test_the_wait_is_a_second_unless_told_otherwise(clock: Clock):
    breaker = Breaker("Postgres", clock=clock)  # as the product makes its own
    opened(breaker, clock)

    clock.now += 0.999
    with pytest.raises(BreakerOpen):
        breaker.enter()
    clock.now += 0.001
    assert breaker.enter().tests


def test_then_one_tries_and_the_others_are_refused_until_it_knows(breaker: Breaker, clock: Clock):
    opened(breaker, clock)
    clock.now += 1.0
    assert breaker.state == HALF_OPEN
    trial = breaker.enter()

    clock.now += 60
    for _ in range(3):
        with pytest.raises(BreakerOpen):
            breaker.enter()
    assert trial.tests and breaker.state == HALF_OPEN

    breaker.answered(trial)
    assert breaker.state == CLOSED and not breaker.enter().tests


def test_a_trial_that_fails_opens_it_for_another_second(breaker: Breaker, clock: Clock):
    opened(breaker, clock)
    clock.now += 1.0
    assert breaker.failed(breaker.enter(), "still gone")

    with pytest.raises(BreakerOpen):
        breaker.enter()
    clock.now += 1.0
    assert breaker.enter().tests and breaker.openings == 1


def test_a_trial_that_was_ended_leaves_its_place_to_the_next(breaker: Breaker, clock: Clock):
    opened(breaker, clock)
    clock.now += 1.0
    breaker.left(breaker.enter())

    assert breaker.enter().tests


def test_a_failure_does_not_count_when_somebody_was_answered_since(breaker: Breaker, clock: Clock):
    slow = entered(breaker, clock)
    breaker.answered(entered(breaker, clock))

    clock.now += 5
    assert not breaker.failed(slow, "no answer in 5 s")

    assert breaker.state == CLOSED
    opened(breaker, clock)


def test_an_answer_to_one_who_began_before_closes_it(breaker: Breaker, clock: Clock):
    early = entered(breaker, clock)
    opened(breaker, clock)

    breaker.answered(early)

    assert breaker.state == CLOSED


def test_of_a_crowd_that_fails_one_after_the_other_each_holds_it_open(breaker: Breaker, clock: Clock):
    crowd = [entered(breaker, clock) for _ in range(5)]
    for call in crowd:
        clock.now += 0.5
        assert breaker.failed(call, "gone")

    clock.now += 0.9
    with pytest.raises(BreakerOpen):
        breaker.enter()
    assert breaker.openings == 1


def test_one_line_says_that_it_opened_and_one_that_it_closed(
    breaker: Breaker, clock: Clock, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "taskroom.breaker"):
        opened(breaker, clock)
        for _ in range(3):
            clock.now += 1.0
            breaker.failed(breaker.enter(), "still gone")
        clock.now += 1.5
        breaker.answered(breaker.enter())
        breaker.answered(entered(breaker, clock))

    assert [record.getMessage() for record in caplog.records] == [
        "Postgres is unavailable, its callers are refused until it answers: gone",
        "Postgres answers again, after 4.5 s",
    ]


def test_a_question_is_asked_unless_it_is_known_to_fail(breaker: Breaker, clock: Clock):
    asked: list[str] = []

    def ask(error: BaseException | None = None) -> str:
        def question() -> str:
            asked.append("question")
            if error is not None:
                raise error
            return "an answer"

        clock.now += 0.1
        return breaker.ask(question, lambda: "otherwise")

    assert ask() == "an answer"
    assert [ask(ConnectionError("gone")), ask(), ask()] == ["otherwise"] * 3 and len(asked) == 2
    clock.now += 1.0
    assert ask(KeyError("a fault of ours")) == "otherwise"
    assert ask() == "an answer", "a question that failed on our side leaves the next one to try"
    clock.now += 1.0
    with pytest.raises(SystemExit):
        ask(SystemExit())
    assert ask() == "an answer", "and so does one whose caller was ended"
    assert (breaker.state, breaker.openings) == (CLOSED, 1)


def test_of_many_threads_one_tries():
    breaker, start = Breaker("Postgres", 0.0), threading.Barrier(20, timeout=60)
    breaker.failed(breaker.enter(), "gone")
    tries: list[Call] = []

    def enters() -> None:
        start.wait()
        try:
            tries.append(breaker.enter())
        except BreakerOpen:
            return

    threads = [threading.Thread(target=enters) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(tries) == 1 and breaker.refused == 19
