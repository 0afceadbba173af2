"""Several runs in one process, as the writer's thread sees them."""

from __future__ import annotations

import pytest

from app.stream.event import Event, task_stream
from app.stream.store import Appended
from app.stream.transaction import Hint
from tests.tasks.helpers import Tasks
from tests.workers.kept import OTHER, TASK, Kept, run_of
from workers.leases import Leases
from workers.run import Run


def leases_of(*runs: Run) -> Leases:
    leases = Leases()
    for run in runs:
        leases.add(run)
    return leases


def test_a_cancel_reaches_the_runs_of_its_task() -> None:
    run, other = run_of(Kept()), run_of(Kept(), OTHER)

    leases_of(run, other).on_committed(Appended(cancel_requested={task_stream(TASK)}))

    assert (run.cancelled, other.cancelled) == (True, False)


def test_of_two_attempts_of_a_task_the_older_is_superseded() -> None:
    older, newer, other = run_of(Kept()), run_of(Kept(), attempt=4), run_of(Kept(), OTHER)

    leases_of(newer, older, other).on_committed(Appended(refused={task_stream(TASK)}))

    assert [run.superseded for run in (older, newer, other)] == [True, False, False]


def test_an_attempt_that_was_superseded_stays_so_when_its_task_is_cancelled() -> None:
    run = run_of(Kept())
    leases = leases_of(run)

    leases.on_committed(Appended(refused={task_stream(TASK)}))
    leases.on_committed(Appended(cancel_requested={task_stream(TASK)}))

    assert (run.superseded, run.cancelled) == (True, False)


def test_a_run_that_is_over_is_not_renewed() -> None:
    run, leases = run_of(Kept()), Leases()

    with leases.renewed(run):
        pass
    leases.on_committed(Appended(cancel_requested={task_stream(TASK)}))

    assert not run.cancelled


def test_started_steps_are_taken_once() -> None:
    payload = f'{{"task_id":"{OTHER}","parent_id":"{TASK}","status":"PENDING","job_type":"test"}}'
    leases = leases_of(run_of(Kept()))

    leases.on_committed(Appended([Event(task_stream(OTHER), 1, "task_status", payload)]))

    assert leases.take_hints() == [Hint(OTHER, 1, "test")]
    assert leases.take_hints() == []


@pytest.fixture
def claimed(here: Tasks) -> list[Run]:
    """Two runs whose leases have missed two rounds."""
    runs = []
    for _ in range(2):
        claim = here.claim(here.create())
        assert claim
        runs.append(Run(claim, Kept()))  # type: ignore[arg-type]
    with here.connect() as connection, connection.cursor() as cur:
        cur.execute("UPDATE leases SET missed = 2")
    return runs


def renew(here: Tasks, runs: list[Run]) -> None:
    with here.transaction() as tx:
        leases_of(*runs).renew(tx)


def test_each_lease_is_renewed(here: Tasks, claimed: list[Run]) -> None:
    renew(here, claimed)

    assert here.leases() == {run.claim.task_id: (1, 0) for run in claimed}
    assert not any(run.superseded or run.cancelled for run in claimed)


def test_a_lease_that_a_round_has_locked_is_left_to_the_next_call(here: Tasks, claimed: list[Run]) -> None:
    """Else a round and a worker that lock several in different orders would wait for each other."""
    locked, free = claimed

    with here.of_any_thread() as other:
        other.cur.execute("UPDATE leases SET missed = 3 WHERE task_id = %s", (locked.claim.task_id,))
        renew(here, claimed)

    assert here.leases() == {locked.claim.task_id: (1, 3), free.claim.task_id: (1, 0)}


@pytest.mark.parametrize("retry", [False, True])
def test_each_run_finds_out_what_became_of_its_own_task(here: Tasks, claimed: list[Run], retry: bool) -> None:
    cancelled, lost = claimed
    here.cancel(cancelled.claim.task_id)
    here.expire_lease(lost.claim.task_id, retry=retry)

    renew(here, claimed)

    assert [(run.cancelled, run.superseded) for run in claimed] == [(True, False), (False, True)]
