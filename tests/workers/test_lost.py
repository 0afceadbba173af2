"""A task whose process died ends at once: its worker saw it, and nobody waits for the lease."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.tasks import lifecycle
from app.tasks.endings import WORKER_LOST
from tests.support.system import System, User, wait_for
from tests.tasks.helpers import Tasks
from workers import lost

pytestmark = pytest.mark.slow


def without_rounds(system: System, task_id: str) -> None:
    """So many that no round will ever take this lease for lost."""
    system.sql("UPDATE leases SET missed = -1000000 WHERE task_id = %s", task_id)


@pytest.mark.parametrize(
    ("how", "reason"),
    [("exit", "exitcode 3"), ("segfault", "signal 11 (SIGSEGV)"), ("kill", "signal 9 (SIGKILL)")],
)
def test_the_worker_ends_the_task_of_a_child_that_died(
    system: System, user: User, tmp_path: Path, how: str, reason: str
) -> None:
    gate = tmp_path / "gate"
    task_id = user.start("test_dies", how=how, gate=str(gate))
    wait_for("it to run", lambda: user.status(task_id)["task"]["is_running"])
    without_rounds(system, task_id)

    gate.touch()

    task = user.finished(task_id)["task"]
    assert (task["status"], task["error"]["type"]) == ("FAILURE", "WorkerLost")
    assert task["error"]["message"] == f"The process that ran this task ended: {reason}"
    ends = [e for e in user.events(task_id) if e["data"].get("finished_at")]
    assert len(ends) == 1


@contextmanager
def sent_once(system: System, task_id: str) -> Iterator[None]:
    """No round sends again what waits of the task: who ends an attempt has to say that there is another."""
    system.sql(
        f"""CREATE FUNCTION sent_once() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.next_send_at := now() + interval '1 hour'; RETURN NEW; END $$;
            CREATE TRIGGER sent_once BEFORE INSERT OR UPDATE ON dispatches FOR EACH ROW
            WHEN (NEW.task_id = '{task_id}') EXECUTE FUNCTION sent_once()"""
    )
    try:
        yield
    finally:
        system.sql("DROP FUNCTION sent_once CASCADE")


def test_where_the_job_says_so_it_runs_again_at_once(system: System, user: User, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    task_id = user.start("test_dies_once", how="exit", gate=str(gate))
    wait_for("it to run", lambda: user.status(task_id)["task"]["is_running"])
    without_rounds(system, task_id)

    with sent_once(system, task_id):
        gate.touch()
        task = user.finished(task_id)["task"]

    assert (task["status"], task["result"], task["attempt"]) == ("SUCCESS", "at last", 2)
    assert system.sql("SELECT count(*) FROM dispatches WHERE task_id = %s", task_id) == [(0,)]


def test_a_child_that_died_over_a_doubled_message_ends_nothing_of_anothers(here: Tasks) -> None:
    task_id = here.started()  # by w@host

    with here.transaction() as tx:
        assert not lifecycle.expire_lease(tx, task_id, 1, False, WORKER_LOST, "other@host/7")

    assert here.state(task_id)["task"]["status"] == "STARTED"


def test_a_child_that_returned_an_exception_ended_its_attempt_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """By now it may run another one under the same name."""
    ended = list[str]()
    monkeypatch.setattr(lost.Request, "on_failure", lambda *_: None)
    monkeypatch.setattr(lost, "end", lambda worker, error: ended.append(worker))

    lost.RunRequest.on_failure(object.__new__(lost.RunRequest), None, True, return_ok=True)

    assert ended == []


def test_an_attempt_whose_end_could_not_be_reported_says_so() -> None:
    error = lost.error_of(RuntimeError("the writer is closed"))

    assert error["type"] == "WorkerLost"
    assert error["message"] == "The worker could not report how this task ended: the writer is closed"
