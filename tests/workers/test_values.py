"""What task code reports that is not as it should be: it is made so, or left out, and ends no job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.workers.kept import TASK, Kept, run_of
from workers import current, emitters
from workers.progress import log, phase, track


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    with current.running(run_of(kept, weights={"a": 1, "b": 3})):
        yield kept


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("", "phase"),
        ("a\nb", "a b"),
        ("x" * 129, "x" * 128),
        ("\0\ud800", "\ufffd?"),
        (7, "7"),
        (None, "phase"),
    ],
)
def test_a_phase_with_a_name_that_cannot_be_has_one_that_can(kept: Kept, name: Any, held: str) -> None:
    with phase(name):
        pass
    emitters.emit_phase_update(TASK, name, "active")
    emitters.emit_phase_complete(TASK, name)
    emitters.emit_task_status(TASK, True, None, name)

    sent = kept.of_type("phase_update") + kept.of_type("phase_complete")
    assert len(sent) == 5
    assert {event["phase_id"] for event in sent} == {held}


def test_a_status_that_is_none_is_told_once_and_ends_nothing(kept: Kept) -> None:
    emitters.emit_phase_update(TASK, "a", "paused")
    emitters.emit_phase_update(TASK, "b", "paused")
    emitters.emit_phase_update(TASK, "c", "COMPLETED")

    assert [u["status"] for u in kept.of_type("phase_update")] == ["in_progress", "in_progress", "completed"]
    assert kept.lines() == [
        (
            "WARNING",
            "'paused' is no status of a phase; use one of active, in_progress, completed, error",
            "taskroom",
        )
    ]


@pytest.mark.parametrize(
    ("level", "held"),
    [("warn", "WARNING"), ("Fatal", "CRITICAL"), (40, "ERROR"), (35, "WARNING"), (5, "DEBUG")],
)
def test_levels_as_others_write_them(kept: Kept, level: Any, held: str) -> None:
    log("x", level)

    assert [line[0] for line in kept.lines()] == [held]


def test_texts_that_are_none_are_made_ones(kept: Kept) -> None:
    class Mute:
        def __str__(self) -> str:
            raise KeyError("no text")

    log(7, component=8, phase=9)  # type: ignore[arg-type]
    log(None)  # type: ignore[arg-type]
    log(Mute())  # type: ignore[arg-type]
    with phase("a", message=Mute()) as opened:  # type: ignore[arg-type]
        opened.advance(message=5)  # type: ignore[arg-type]
        opened.report()

    assert [(x["message"], x["component"], x["phase"]) for x in kept.of_type("log")] == [
        ("7", "8", "9"),
        ("", None, None),
        ("(Mute, its text could not be made: KeyError)", None, None),
    ]
    assert [u["message"] for u in kept.of_type("phase_update")][:2] == [
        "(Mute, its text could not be made: KeyError)",
        "5",
    ]


@pytest.mark.parametrize("message", ["{nobody}", "{0}", "{n:%Y}", "{item.x}", "{"])
def test_a_message_that_cannot_be_filled_in_stands_as_it_is(kept: Kept, message: str) -> None:
    assert list(track([1, 2], phase="a", message=message)) == [1, 2]

    assert kept.of_type("phase_update")[-1]["message"] == message


def test_counts_are_whole_before_they_are_an_event(kept: Kept) -> None:
    emitters.emit_phase_update(TASK, "a", "active", 7, 1.5, "7", "x", "12.5")  # type: ignore[arg-type]
    emitters.emit_phase_update(TASK, "a", "completed", "m", float("inf"), 2**70, -3, float("nan"))  # type: ignore[arg-type]
    emitters.emit_phase_complete(TASK, "a", True, "8", 2.9, "1.5")  # type: ignore[arg-type]
    with phase("b", total="3") as opened:  # type: ignore[arg-type]
        opened.advance(0.5)
        opened.advance(1)
        opened.advance("x")  # type: ignore[arg-type]
        opened.error("2")  # type: ignore[arg-type]

    names = ("processed_count", "total_count", "error_count", "eta_seconds", "duration_seconds")
    first, second, third = (
        tuple(event.get(name) for name in names)
        for event in kept.of_type("phase_update")[:2] + kept.of_type("phase_complete")[:1]
    )
    assert first == (1, 7, None, 12.5, None)
    assert second == (None, 2**53, 0, None, None)
    assert third == (1, 8, 2, None, 1.5)
    assert all(type(value) is int for value in first[:2])
    last = kept.of_type("phase_complete")[-1]
    assert (last["processed_count"], last["total_count"], last["error_count"]) == (1, 3, 2)
