"""Tasks that wait for approval: their rows and events, and that one decision wins."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest

from app.errors import Conflict, NotFound
from app.stream.event import task_stream
from app.stream.store import Appended
from app.tasks import approvals, lifecycle
from app.tasks.approvals import ApprovalRequest
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks, folded

MAIL = ApprovalRequest("send", "Send the mail", "high", 1.5)


@pytest.fixture
def tasks(database: str) -> Tasks:
    return Tasks(database)


def decide(tasks: Tasks, task_id: str, approved: bool = True, by: str = "a@example.org") -> Appended:
    with tasks.transaction() as tx:
        lifecycle.decide_approval(tx, task_id, approved, by)
    return tx.appended


def asks(tasks: Tasks, task_id: str, attempt: int = 1, approval: ApprovalRequest = MAIL) -> Appended:
    """Asks for approval as the worker of that attempt does."""
    return tasks.append(approvals.approval_wait(task_stream(task_id), approval, 30, attempt, ["read"]))


def test_a_task_that_needs_approval_is_claimed_only_when_approved(tasks: Tasks) -> None:
    task_id = tasks.create(approval=ApprovalRequest(approvals.START, "Send it"))

    assert tasks.claim(task_id) is None and tasks.dispatches() == {}
    decide(tasks, task_id)

    claim = tasks.claim(task_id)
    assert claim and claim.approved == {approvals.START}
    assert tasks.statuses(task_id) == ["WAITING", "PENDING", "STARTED"]
    assert tasks.state(task_id) == folded(tasks.events(task_id))


def test_a_task_that_asks_frees_its_worker_and_the_next_attempt_knows_the_approval(tasks: Tasks) -> None:
    task_id = tasks.started()

    asks(tasks, task_id)
    assert tasks.leases() == {} and tasks.dispatches() == {}
    assert tasks.claim(task_id, 2) is None
    decide(tasks, task_id)

    claim = tasks.claim(task_id, 2)
    assert claim and claim.approved == {"send"}
    assert tasks.state(task_id) == folded(tasks.events(task_id))


def test_events_name_the_decision_and_the_user(tasks: Tasks) -> None:
    task_id = tasks.started()
    asks(tasks, task_id)

    decide(tasks, task_id, by="boss@example.org")

    needed, decided = [e for e in tasks.events(task_id) if e["type"].startswith("approval_")]
    assert {n: needed[n] for n in ("key", "title", "risk_level", "estimated_cost")} == {
        "key": "send",
        "title": "Send the mail",
        "risk_level": "high",
        "estimated_cost": 1.5,
    }
    assert (decided["key"], decided["approved"], decided["by"]) == ("send", True, "boss@example.org")
    assert sql(tasks.database, "SELECT approved, decided_by FROM approvals") == [(True, "boss@example.org")]


def test_a_rejected_task_ends_and_names_who_rejected_it(tasks: Tasks) -> None:
    task_id = tasks.started()
    tasks.open_phase(task_id)
    asks(tasks, task_id)

    decide(tasks, task_id, approved=False, by="boss@example.org")

    task = tasks.state(task_id)["task"]
    assert (task["status"], task["error"]["type"]) == ("REVOKED", "Rejected")
    assert "boss@example.org" in task["error"]["message"]
    assert tasks.state(task_id) == folded(tasks.events(task_id))
    assert [p["status"] for p in tasks.state(task_id)["phases"]] == ["error"]


@pytest.mark.parametrize("status", ["PENDING", "STARTED", "SUCCESS"])
def test_a_task_that_does_not_wait_cannot_be_decided(tasks: Tasks, status: str) -> None:
    task_id = tasks.create()
    if status != "PENDING":
        tasks.claim(task_id)
    if status == "SUCCESS":
        tasks.end(task_id)
    before = tasks.events(task_id)

    with pytest.raises(Conflict, match=status):
        decide(tasks, task_id)

    assert tasks.events(task_id) == before


def test_an_unknown_task_is_not_found(tasks: Tasks) -> None:
    with pytest.raises(NotFound):
        decide(tasks, "00000000-0000-4000-8000-000000000000")


@pytest.mark.slow
def test_of_decisions_at_once_one_wins(tasks: Tasks) -> None:
    task_ids = [tasks.create(approval=MAIL) for _ in range(20)]
    won: list[tuple[str, str]] = []
    faults: list[Exception] = []
    start = threading.Barrier(4, timeout=60)

    def decides(number: int) -> None:
        mine = Tasks(tasks.database)
        try:
            for task_id in task_ids:
                start.wait()
                if number == 3:
                    try:
                        mine.cancel(task_id)
                    except Conflict:
                        continue
                else:
                    try:
                        decide(mine, task_id, approved=bool(number % 2), by=str(number))
                    except Conflict:
                        continue
                    won.append((task_id, str(number)))
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=decides, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()

    assert not faults
    for task_id in task_ids:
        decided: list[Any] = [e["by"] for e in tasks.events(task_id) if e["type"] == "approval_decided"]
        assert decided == [by for known, by in won if known == task_id] and len(decided) <= 1
        assert tasks.state(task_id) == folded(tasks.events(task_id))


def test_a_cancel_during_the_attempt_that_asks_wins(tasks: Tasks) -> None:
    task_id = tasks.started()
    tasks.cancel(task_id)
    asks(tasks, task_id)

    decide(tasks, task_id)

    assert tasks.statuses(task_id)[-1] == "REVOKED"
    assert tasks.state(task_id)["task"]["error"]["type"] == "Cancelled"


def test_the_request_of_an_attempt_that_died_is_dropped(tasks: Tasks) -> None:
    task_id = tasks.started()
    tasks.append([approvals.approval_request(task_stream(task_id), ApprovalRequest("first", "First"), 1)])
    tasks.expire_lease(task_id, retry=True)
    tasks.claim(task_id, 2)
    asks(tasks, task_id, attempt=2)

    decide(tasks, task_id)

    claim = tasks.claim(task_id, 3)
    assert claim and claim.approved == {"send"}


def test_a_lost_attempt_cannot_ask(tasks: Tasks) -> None:
    task_id = tasks.started()
    tasks.expire_lease(task_id, retry=True)
    tasks.claim(task_id, 2)

    late = asks(tasks, task_id, attempt=1)

    assert late.refused == {task_stream(task_id)} and not sql(tasks.database, "SELECT 1 FROM approvals")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *(
            ("key", ""),
            ("key", "start"),
            ("key", "k" * 129),
            ("key", "a\nb"),
            ("title", ""),
            ("risk_level", "none"),
        ),
        *(("estimated_cost", -1.0), ("estimated_cost", math.nan), ("estimated_cost", math.inf)),
    ],
)
def test_an_invalid_approval_is_refused(field: str, wrong: Any) -> None:
    fields = {"key": "k", "title": "t", "risk_level": "low", "estimated_cost": 0.0, field: wrong}

    with pytest.raises(ValueError, match=f"^{field}:"):
        ApprovalRequest.of(**fields)
