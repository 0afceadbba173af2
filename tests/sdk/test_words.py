"""``taskroom.log``, ``phase``, ``track`` and ``current``: the same words in a script, in a job, and outside of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pytest

import taskroom
from tests.sdk.memory import MemoryClient
from tests.workers.kept import TASK, Kept, run_of
from workers import current, emitters, progress
from workers.errors import ApprovalNeeded


def work() -> list[str]:
    """What a library might do that is used in jobs and in scripts."""
    taskroom.log("begins", component="library")
    with taskroom.phase("load", total=2) as load:
        load.advance()
        load.advance(message="both")
    with taskroom.group("the rest"):
        found = list(taskroom.track("ab", phase="read"))
    taskroom.current().progress(50, "half")
    return found


class Endless:
    """As a loader of torch over a stream, or a query that is not made before its loop."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __len__(self) -> int:
        raise self.error

    def __iter__(self) -> Iterator[int]:
        return iter((1, 2))


Told = Callable[[], list[str]]


@contextmanager
def in_a_script(client: MemoryClient) -> Iterator[Told]:
    with taskroom.run("train") as run:
        yield lambda: [event["type"] for event in client.of(run.id)][1:]


@contextmanager
def in_a_job(client: MemoryClient) -> Iterator[Told]:
    kept = Kept()
    with current.running(run_of(kept)):
        yield lambda: [draft.type for draft in kept.drafts]


@pytest.mark.parametrize("place", [in_a_script, in_a_job])
def test_the_same_words_report_to_whatever_run_calls_them(client: MemoryClient, place: Any) -> None:
    with place(client) as told:
        assert work() == ["a", "b"]
        types = told()

    phase = ["task_status", "phase_update", "phase_update", "phase_complete"]
    assert types == ["log", *phase, "log_group", *phase, "log_group", "task_status"]


@pytest.mark.usefixtures("nowhere")
def test_outside_of_a_run_they_do_their_work_and_report_nothing() -> None:
    assert work() == ["a", "b"]
    with taskroom.phase("load", total=2) as load:
        load.advance(2)
        load.error()

    assert (load.processed, load.errors, load.eta) == (2, 1, None)
    assert (taskroom.current().id, taskroom.current().url) == ("", None)


@pytest.mark.usefixtures("nowhere")
def test_what_is_raised_in_a_phase_outside_of_a_run_passes() -> None:
    with pytest.raises(KeyError), taskroom.phase("load"):
        raise KeyError("x")


def test_a_run_within_a_job_is_its_child_and_has_the_words_meanwhile(client: MemoryClient) -> None:
    kept = Kept()
    with current.running(run_of(kept)):
        with taskroom.run("part") as part:
            progress.log("of the part")
            emitters.emit_log_event(TASK, "INFO", "of the job, by its id")
            with pytest.raises(ApprovalNeeded):
                progress.require_approval("pay", "Pay the bill")
            assert current.get().claim.task_id == TASK
        progress.log("of the job")

    assert client.tasks[part.id]["parent_id"] == TASK
    assert client.lines(part.id) == [("INFO", "of the part", None)]
    assert [message for _, message, _ in kept.lines()] == ["of the job, by its id", "of the job"]


def test_a_job_that_waits_for_an_approval_leaves_its_phase_open_and_ends_the_run_in_it(
    client: MemoryClient,
) -> None:
    kept = Kept()
    within = pytest.raises(ApprovalNeeded)
    with current.running(run_of(kept)), within, progress.phase("pay"), taskroom.run("part") as part:
        progress.require_approval("pay", "Pay the bill")

    assert [update["status"] for update in kept.of_type("phase_update")] == ["active"]
    assert client.statuses(part.id) == ["STARTED", "REVOKED"]


@pytest.mark.parametrize(
    ("items", "total"),
    [
        ([1, 2], 2),
        (iter((1, 2)), None),
        (Endless(TypeError("object of type 'IterableDataset' has no len()")), None),
        (Endless(RuntimeError("the query failed")), None),
        (range(1, 10**20), None),
    ],
)
def test_what_a_plain_loop_goes_over_is_tracked_whatever_its_length_does(
    client: MemoryClient, items: Any, total: int | None
) -> None:
    with taskroom.run("train") as run:
        found = list(islice(taskroom.track(items, phase="read"), 2))

    updates = client.of(run.id, "phase_update")
    assert found == [1, 2]
    assert {update["total_count"] for update in updates} == {total}
