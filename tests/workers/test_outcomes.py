"""Any way out of a job's code ends the attempt, with what was raised and where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from tests.workers.kept import Kept, job_of, run_of
from workers import current, outcomes
from workers.progress import RetryTask, phase


class Timeout(BaseException):
    """As gevent and eventlet have it."""


class Mute(Exception):
    def __str__(self) -> NoReturn:
        raise KeyError("no text")


class Fatal(Exception):
    def __str__(self) -> NoReturn:
        raise SystemExit(9)


class Unprintable(SyntaxError):
    @property
    def filename(self) -> NoReturn:  # type: ignore[override]
        raise SystemExit(9)


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def raise_it() -> NoReturn:
        raise error

    return raise_it


def outcome(function: Callable[[], Any], **more: Any) -> dict[str, Any]:
    run = run_of(Kept())
    with current.running(run):
        return outcomes.run_job(job_of(function, **more), run)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (asyncio.CancelledError("stopped"), "CancelledError", "stopped"),
        (Timeout("5 seconds"), "Timeout", "5 seconds"),
        (KeyboardInterrupt(), "KeyboardInterrupt", "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit", "GeneratorExit"),
        (SystemExit(3), "SystemExit", "3"),
        (ValueError("as ever"), "ValueError", "as ever"),
        (BaseExceptionGroup("both", [KeyboardInterrupt()]), "BaseExceptionGroup", "both (1 sub-exception)"),
    ],
)
def test_whatever_is_raised_ends_the_attempt_with_its_traceback(
    error: BaseException, kind: str, message: str
) -> None:
    ended = outcome(raising(error))

    assert ended["status"] == "FAILURE"
    assert (ended["error"]["type"], ended["error"]["message"]) == (kind, message)
    assert "in raise_it" in ended["error"]["traceback"], "where it was raised"


@pytest.mark.parametrize(
    ("error", "problem"), [(Mute(), "KeyError"), (Fatal(), "SystemExit")], ids=["an Exception", "more"]
)
def test_an_exception_whose_text_cannot_be_made_is_named(error: Exception, problem: str) -> None:
    ended = outcome(raising(error))

    kind = type(error).__name__
    assert ended["error"]["type"] == kind
    assert ended["error"]["message"] == f"{kind} (its text could not be made: {problem})"
    assert "in raise_it" in ended["error"]["traceback"]


def test_an_exception_whose_traceback_cannot_be_made_is_shown_as_far_as_it_can() -> None:
    ended = outcome(raising(Unprintable("odd")))

    assert (ended["error"]["type"], ended["error"]["message"]) == ("Unprintable", "odd")
    assert "in raise_it" in ended["error"]["traceback"]
    assert ended["error"]["traceback"].endswith("Unprintable (not shown: SystemExit)\n")


def test_a_phase_ends_with_an_exception_that_has_no_text() -> None:
    kept = Kept()

    with current.running(run_of(kept)), pytest.raises(Mute), phase("a"):
        raise Mute

    (failed,) = [u for u in kept.of_type("phase_update") if u["status"] == "error"]
    assert failed["message"] == "Mute (its text could not be made: KeyError)"


def test_what_a_job_retries_for_is_tried_again_also_without_a_text() -> None:
    ended = outcome(raising(Mute()), max_retries=1, retry_for=(Mute,))

    assert (ended["status"], ended["retry_in"]) == ("RETRY", 1.0)


def test_a_reason_of_the_tasks_own_needs_no_class() -> None:
    ended = outcome(raising(RetryTask("not yet")))

    assert (ended["status"], ended["error"]["type"]) == ("FAILURE", "TaskFailed")
