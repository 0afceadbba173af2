"""Groups of lines, as the code of a job makes them: within one another, bounded, ended by whatever leaves the block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.tasks.helpers import Tasks, folded
from tests.workers.kept import Kept, run_of
from workers import current
from workers.errors import NoRun, TaskCancelled
from workers.progress import group, log, phase
from workers.run import Run


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    with current.running(run_of(kept)):
        yield kept


def marks(kept: Kept) -> list[tuple[str, str, str | None]]:
    return [(each["name"], each["status"], each["phase"]) for each in kept.of_type("log_group")]


def test_groups_are_within_one_another_and_name_their_phase(kept: Kept) -> None:
    with group("invoices"), phase("send"), group("invoice 17"):
        log("sent")

    assert marks(kept) == [
        ("invoices", "open", None),
        ("invoice 17", "open", "send"),
        ("invoice 17", "closed", "send"),
        ("invoices", "closed", None),
    ]
    first, second, *ends = [each["group_id"] for each in kept.of_type("log_group")]
    assert first != second and ends == [second, first]
    assert {draft.attempt for draft in kept.drafts} == {3}, "each event is fenced"


def test_an_exception_and_a_cancel_end_the_groups_that_they_leave(kept: Kept) -> None:
    with pytest.raises(KeyError), group("outer"), group("inner"):
        raise KeyError("x")
    assert [(name, status) for name, status, _ in marks(kept)][2:] == [
        ("inner", "closed"),
        ("outer", "closed"),
    ]

    with pytest.raises(TaskCancelled), group("cancelled"):
        current.get().cancel()
        log("never written")
    assert marks(kept)[-1] == ("cancelled", "closed", None)
    with pytest.raises(TaskCancelled):
        group("never begun")


def test_a_name_is_one_bounded_line(kept: Kept) -> None:
    for name in ("a\nb\x1b[31m", "x" * 200, "  ", 17):
        with group(name):  # type: ignore[arg-type]
            pass

    assert [name for name, status, _ in marks(kept) if status == "open"] == [
        "a b [31m",
        "x" * 128,
        "group",
        "17",
    ]


def test_groups_over_a_limit_are_none_and_it_is_said_once(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as deep:
        for n in range(10):
            deep.enter_context(group(f"depth {n}"))
        log("deep")
    monkeypatch.setattr("taskroom.groups.GROUP_LIMIT", 10)
    for n in range(5):
        with group(f"later {n}"):
            pass

    assert [name for name, status, _ in marks(kept) if status == "open"] == [
        *(f"depth {n}" for n in range(8)),
        "later 0",
        "later 1",
    ]
    assert [level for level, _, component in kept.lines() if component == "taskroom"] == ["WARNING"]


def test_outside_of_a_task_it_is_an_error_that_says_so() -> None:
    with pytest.raises(NoRun, match="inside a job"):
        group("x")


def test_the_sections_of_a_task_are_the_fold_of_what_was_reported(here: Tasks) -> None:
    claim = here.claim(here.create())
    assert claim
    kept = Kept()
    with current.running(Run(claim, kept)):  # type: ignore[arg-type]
        with phase("read"), group("one"):
            log("x")
        ExitStack().enter_context(group("left open"))
    here.append(kept.drafts)
    here.expire_lease(claim.task_id)

    state = here.state(claim.task_id)

    assert folded(here.events(claim.task_id)) == state
    assert [(s["kind"], s["name"], s["ended_at"] is None) for s in state["sections"]] == [
        ("attempt", "1", False),
        ("phase", "read", False),
        ("group", "one", False),
        ("group", "left open", False),
    ]
    (line,) = [e for e in here.events(claim.task_id) if e["type"] == "log" and e["message"] == "x"]
    one = state["sections"][2]
    assert one["first_sequence"] < line["sequence"] < one["last_sequence"]
