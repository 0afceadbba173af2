"""What the owner of a run is told of it: what it has chosen, in one entry that changes."""

from __future__ import annotations

from typing import Any

import pytest

from app.inbox import choices
from app.inbox import store as inbox
from app.stream.event import user_stream
from app.stream.store import Store
from app.tasks import lifecycle
from app.tasks.approvals import ApprovalRequest
from app.tasks.lifecycle import decide_approval
from tests.support.inbox import notify, unread
from tests.tasks.families import delegated_parent, step, steps
from tests.tasks.helpers import Tasks

BROKEN = {"type": "X", "message": "it broke", "traceback": None}
ASKED = "approval_required"


def choose(tasks: Tasks, default: str, **job_types: str) -> None:
    with tasks.transaction() as tx:
        choices.write(tx.cur, tasks.user_id, default, job_types)


def notices(tasks: Tasks) -> list[dict[str, Any]]:
    """All that was ever sent, the oldest first."""
    events = Store(tasks.connect).after(user_stream(tasks.user_id), 0)
    return [event.decoded() for event in events if event.type == "notification"]


def kinds(tasks: Tasks) -> list[str]:
    return [notice["notification_type"] for notice in notices(tasks)]


def listed(tasks: Tasks) -> list[tuple[str, bool]]:
    """The entries of the list, newest first: what each says, and whether it is read."""
    with tasks.connect() as conn, conn.cursor() as cur:
        rows, _ = inbox.page(cur, tasks.user_id, None, None, 50)
    return [(row["title"], row["read"]) for row in rows]


def read_all(tasks: Tasks, id: str | None = None) -> None:
    with tasks.transaction() as tx:
        inbox.mark_read(tx, tasks.user_id, id)


def asked(tasks: Tasks, **more: Any) -> str:
    """A run that waits for approval before it begins."""
    return tasks.create(approval=ApprovalRequest.of("budget", "The budget", "critical", 3.0), **more)


def decide(tasks: Tasks, task_id: str, approved: bool = True) -> None:
    with tasks.transaction() as tx:
        decide_approval(tx, task_id, approved, "bob@example.org")


def consistent(tasks: Tasks) -> bool:
    """The number of unread entries is what the list has, and what the last event said."""
    count = sum(not read for _, read in listed(tasks))
    return count == unread(tasks) == notices(tasks)[-1]["unread_count"]


def test_nobody_is_told_that_a_run_of_its_own_has_started(here: Tasks) -> None:
    here.started()

    assert notices(here) == []


def test_a_run_is_one_entry_that_changes(here: Tasks) -> None:
    task_id = asked(here)
    assert listed(here) == [("Approval needed: The budget", False)] and consistent(here)
    decide(here, task_id)
    assert listed(here) == [("A title was approved", False)] and consistent(here)
    here.claim(task_id)
    here.end(task_id)

    assert listed(here) == [("A title has finished", False)] and consistent(here)
    first, second, third = notices(here)
    assert [n["replaces"] for n in (first, second, third)] == [None, first["id"], second["id"]]
    assert second["message"] == "by bob@example.org"
    assert {n["related_id"] for n in (first, second, third)} == {task_id}


def test_what_was_read_stays_read_unless_it_needs_the_user(here: Tasks) -> None:
    task_id, other = asked(here), asked(here)
    read_all(here)
    decide(here, task_id)
    decide(here, other)
    assert [read for _, read in listed(here)] == [True, True] and consistent(here)
    for each, status, error in ((task_id, "SUCCESS", None), (other, "FAILURE", BROKEN)):
        here.claim(each)
        here.end(each, status, error=error)

    assert listed(here) == [("A title has failed", False), ("A title has finished", True)]
    assert consistent(here)
    finished = notices(here)[-2]
    assert finished["read"] and finished["status"] == "read" and finished["read_at"]


def test_an_entry_that_was_read_by_itself_stays_read(here: Tasks) -> None:
    task_id = asked(here)
    read_all(here, notices(here)[0]["id"])
    decide(here, task_id)

    assert listed(here) == [("A title was approved", True)] and consistent(here)


def test_entries_of_other_runs_and_of_other_code_stay(here: Tasks) -> None:
    task_id, other = asked(here), asked(here)
    notify(here, "A page is ready", related_type="task", related_id=task_id)

    decide(here, task_id)
    here.claim(task_id)
    here.end(task_id)

    assert [title for title, _ in listed(here)] == [
        "A title has finished",
        "A page is ready",
        "Approval needed: The budget",
    ]
    assert consistent(here) and other


def test_several_changes_of_a_batch_are_one_entry(here: Tasks) -> None:
    task_id = asked(here)
    read_all(here)
    with here.transaction() as tx:
        decide_approval(tx, task_id, False, "bob@example.org", reason="too dear")
    here.started()

    assert listed(here) == [("A title was cancelled", True)]
    assert unread(here) == 0


SENT = {
    "all": [ASKED, "info", "generation_failed", "generation_complete", "info"],
    "failures": [ASKED, "info", "generation_failed"],
    "approvals": [ASKED, "info"],
    "none": [],
}


@pytest.mark.parametrize("choice", SENT)
@pytest.mark.parametrize("of_type", [True, False])
def test_each_choice_is_obeyed(here: Tasks, choice: str, of_type: bool) -> None:
    """Of a job type, and of all that have none of their own."""
    if of_type:
        choose(here, "none" if choice == "all" else "all", emit_load=choice)
    else:
        choose(here, choice, other="all" if choice == "none" else "none")
    waiting, failing, succeeding, cancelled = asked(here), here.started(), here.started(), here.create()
    decide(here, waiting)
    here.end(failing, "FAILURE", error=BROKEN)
    here.end(succeeding)
    here.cancel(cancelled)

    assert kinds(here) == SENT[choice]


def test_who_cancels_runs_is_not_told_of_each(here: Tasks) -> None:
    mine, question, of_another = here.create(), asked(here), here.create()
    with here.connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT email FROM users WHERE id = %s", (here.user_id,))
        ((email,),) = cur.fetchall()
    for task_id, by in ((mine, email), (question, email), (of_another, "bob@example.org")):
        with here.transaction() as tx:
            lifecycle.cancel(tx, task_id, by)

    told = [notice for notice in notices(here) if notice["title"].endswith("was cancelled")]
    assert [notice["related_id"] for notice in told] == [question, of_another], (
        "the question is none any more"
    )
    assert [title for title, _ in listed(here)] == ["A title was cancelled"] * 2


def test_what_a_choice_leaves_out_still_ends_a_question(here: Tasks) -> None:
    choose(here, "approvals")
    cancelled = asked(here)
    here.cancel(cancelled)
    muted = asked(here)
    choose(here, "none")
    decide(here, muted)

    assert listed(here) == [("A title was approved", False), ("A title was cancelled", False)]
    here.claim(muted)
    here.end(muted, "FAILURE", error=BROKEN)
    assert len(notices(here)) == 4, "it asks for nothing, so that nobody is told more"


def test_a_step_that_asks_and_is_cancelled_asks_no_more(here: Tasks) -> None:
    parent = delegated_parent(here, step(approval={"title": "Go?", "risk_level": "low", "estimated_cost": 0}))
    (child,) = steps(here, parent)
    assert listed(here) == [("Approval needed: Go?", False)]

    here.cancel(child)

    assert [title for title, _ in listed(here) if "emit_load" in title] == ["All: emit_load was cancelled"]
