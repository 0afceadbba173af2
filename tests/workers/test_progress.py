"""What task code calls, over a writer that keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.stream.store import Appended
from app.tasks.reports import LINE_LIMIT
from taskroom import runs
from tests.support.clock import Clock
from tests.tasks.helpers import Tasks, folded
from tests.workers.kept import TASK, Kept, run_of
from workers import current, emitters
from workers.errors import AttemptSuperseded, NoRun, TaskCancelled
from workers.leases import Leases
from workers.progress import RetryTask, item_error, log, phase, track
from workers.run import Run


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    with current.running(run_of(kept, weights={"a": 1, "b": 3})):
        yield kept


def test_outside_a_task_it_is_an_error_that_says_so() -> None:
    for call in (lambda: log("x"), lambda: list(track([1], "p")), lambda: phase("p").__enter__()):
        with pytest.raises(NoRun, match="inside a job"):
            call()


def test_every_report_is_fenced_by_the_attempt(kept: Kept) -> None:
    log("x")
    with phase("a"):
        pass
    assert {d.attempt for d in kept.drafts} == {3}


def test_log_fills_in_the_open_phase(kept: Kept) -> None:
    log("outside")
    with phase("a"):
        log("inside", "WARNING", "part")
        log("elsewhere", phase="b")
    assert [(x["message"], x["level"], x["component"], x["phase"]) for x in kept.of_type("log")] == [
        ("outside", "INFO", None, None),
        ("inside", "WARNING", "part", "a"),
        ("elsewhere", "INFO", None, "b"),
    ]


def test_a_level_that_is_none_is_told_once_and_ends_nothing(kept: Kept) -> None:
    log("x", "LOUD")
    log("y", "LOUD")
    assert kept.lines() == [
        (
            "WARNING",
            "'LOUD' is no level; use one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
            "taskroom",
        ),
        ("INFO", "x", None),
        ("INFO", "y", None),
    ]


def test_a_long_line_is_cut_and_says_how_long_it_was(kept: Kept) -> None:
    log("x" * 10_000_000)
    (line,) = kept.of_type("log")
    assert len(line["message"]) < LINE_LIMIT + 100
    assert line["message"].endswith("… [cut: 10,000,000 characters in all]")


def test_a_loop_left_early_is_complete_once_the_code_goes_on(kept: Kept) -> None:
    for n in track(range(10), phase="a", message="{n} of {total}"):
        if n == 2:
            item_error("bad")
        if n == 4:
            break
    assert not kept.of_type("phase_complete")
    with phase("b"):
        pass
    done = kept.of_type("phase_complete")[0]
    assert (done["phase_id"], done["processed_count"], done["total_count"], done["error_count"]) == (
        "a",
        4,
        10,
        1,
    )


def test_a_loop_left_early_at_the_end_of_a_task_is_complete_when_that_succeeds(kept: Kept) -> None:
    for _ in track(range(10), phase="a"):
        break
    assert current.get().finish(success=True) == []
    assert [d["phase_id"] for d in kept.of_type("phase_complete")] == ["a"]


@pytest.mark.parametrize("raised", [KeyError, TaskCancelled])
def test_a_loop_that_fails_is_never_complete(kept: Kept, raised: type[BaseException]) -> None:
    with pytest.raises(raised):
        for _ in track([1, 2], phase="a"):
            raise raised("x")
    assert current.get().finish(success=False) == ["a"], "the end of the attempt says what became of it"
    assert not kept.of_type("phase_complete")
    assert [u["status"] for u in kept.of_type("phase_update")] == ["active"]


def test_a_failing_block_ends_its_phase_and_those_within_it(kept: Kept) -> None:
    with pytest.raises(ZeroDivisionError), phase("a"):
        for _ in track([1], phase="b"):
            raise ZeroDivisionError("by zero")
    failed = [(u["phase_id"], u["message"]) for u in kept.of_type("phase_update") if u["status"] == "error"]
    assert failed[-1] == ("a", "by zero")
    assert "b" in [*dict(failed), *current.get().finish(success=False)]


def test_texts_beside_the_message_are_bounded_and_cleaned_too(kept: Kept) -> None:
    log("x", component="c" * 5_000_000, phase="p\0\ud800" + "q" * 5_000_000)
    (line,) = kept.of_type("log")
    assert len(line["component"]) < 200
    assert (line["phase"][:4], len(line["phase"])) == ("p\ufffd?q", 128)


def test_phases_beyond_the_limit_are_shown_as_one_and_the_job_goes_on(kept: Kept) -> None:
    for n in range(503):
        with phase(f"phase {n}"):
            pass
    for _ in track([1, 2], phase="one more"):
        pass

    done = [d["phase_id"] for d in kept.of_type("phase_complete")]
    assert done == [*(f"phase {n}" for n in range(500)), *["further phases"] * 4]
    (noted,) = kept.of_type("log")
    assert (noted["level"], noted["message"]) == (
        "WARNING",
        "a task has at most 500 phases, the others are 'further phases'; count items within one instead",
    )


@pytest.mark.parametrize("countdown", [-1, 1e300, float("nan"), float("inf")])
def test_a_countdown_that_is_no_time_is_refused_where_it_is_written(countdown: float) -> None:
    with pytest.raises(ValueError, match="countdown"):
        RetryTask("later", countdown=countdown)


def test_progress_follows_the_weights_and_leaves_100_to_success(kept: Kept) -> None:
    with phase("a", total=2) as a:
        a.advance(2)
    with phase("b", total=2) as b:
        b.advance(2)
    assert kept.of_type("phase_complete")[0]["progress"] == 25.0
    assert kept.of_type("phase_complete")[1]["progress"] == 99.9


@pytest.mark.parametrize("raised", [TaskCancelled, AttemptSuperseded])
def test_a_stop_is_raised_from_reports_and_passes_except_exception(
    kept: Kept, raised: type[BaseException]
) -> None:
    stream = f"task:{TASK}"
    cancelled = raised is TaskCancelled
    leases = Leases()
    leases.add(current.get())
    leases.on_committed(Appended(cancel_requested={stream}) if cancelled else Appended(refused={stream}))
    for call in (lambda: log("x"), lambda: phase("a").__enter__(), lambda: list(track([1], "a"))):
        with pytest.raises(raised):
            try:
                call()
            except Exception:
                pytest.fail("swallowed")


def test_the_older_names_refuse_another_task(kept: Kept) -> None:
    with pytest.raises(ValueError, match="does not run here"):
        emitters.emit_log_event("another", "INFO", "x")


def test_progress_by_hand_never_goes_back_nor_to_the_end(kept: Kept) -> None:
    for value in (40, 30, "55.26", float("nan"), None, "much", -1, 100, 1e300, 99):
        emitters.publish_progress(TASK, value, "on it")  # type: ignore[arg-type]

    values = [event["progress"] for event in kept.of_type("task_status")]
    assert values == [40, 40, 55.3, 55.3, 55.3, 55.3, 55.3, 99.9, 99.9, 99.9]


def test_progress_by_hand_is_known_also_without_a_plan() -> None:
    kept = Kept()
    with current.running(run_of(kept)):
        with phase("a"):
            pass
        emitters.publish_progress(TASK, 40, "on it")

    assert [event["progress_known"] for event in kept.of_type("task_status")] == [False, True]


def test_the_fold_of_what_was_reported_is_the_snapshot(here: Tasks) -> None:
    claim = here.claim(here.create())
    assert claim
    kept = Kept()
    with current.running(Run(claim, kept)):  # type: ignore[arg-type]
        emitters.emit_phase_update(claim.task_id, "a", "active", 7, 1.5, "7", 0.5, "3")  # type: ignore[arg-type]
        emitters.emit_phase_complete(claim.task_id, "a", 1.5, "7", "0.5", "1.25")  # type: ignore[arg-type]
        emitters.publish_progress(claim.task_id, "12.345", "on it")  # type: ignore[arg-type]
    here.append(kept.drafts)

    state = here.state(claim.task_id)

    assert folded(here.events(claim.task_id)) == state
    assert [(p["processed_count"], p["total_count"], p["duration_seconds"]) for p in state["phases"]] == [
        (1, 7, 1.25)
    ]


def test_the_older_names_thin_repeats_and_never_the_first_or_last(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(runs, "time", clock)
    emitters.emit_phase_update(TASK, "a", "active")
    for n in range(1, 101):
        clock.now += 0.004
        emitters.emit_phase_update(TASK, "a", "in_progress", processed_count=n, total_count=100)
    emitters.emit_phase_update(TASK, "a", "completed")
    updates = kept.of_type("phase_update")
    assert [u["status"] for u in updates][0 :: len(updates) - 1] == ["active", "completed"]
    assert updates[-2]["processed_count"] == 100
    assert 4 <= len(updates) <= 7
