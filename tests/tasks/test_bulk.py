"""The order of a bulk action: which tasks it is of, in what order, and how another attempt goes on."""

from __future__ import annotations

from typing import Any

import pytest

from app.jobs import BULK, ORCHESTRATE
from app.stream.event import task_stream
from app.tasks import bulk, retries
from app.tasks.bulk import CANCEL, CANCELLED, REFUSED, RETRIED, RETRY, Order, Target
from app.tasks.list_filter import Listing
from app.tasks.projection import load
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks
from workers.jobs._bulk import BulkAction, Limits

UNLIMITED = Limits(0, 1_000)


def ordered(tasks: Tasks, action: str, of: Any) -> str:
    task_id = tasks.create(job_type=BULK)
    with tasks.transaction() as tx:
        bulk.order(tx.cur, task_id, None, action, of)
    return task_id


def order_of(tasks: Tasks, task_id: str) -> Order:
    with tasks.connect() as conn, conn.cursor() as cur:
        found = bulk.find(cur, task_id)
    assert found
    return found


def targets(tasks: Tasks, task_id: str) -> list[Target]:
    with tasks.connect() as conn, conn.cursor() as cur:
        return list(bulk.targets(cur, task_id))


def resolved(tasks: Tasks, task_id: str) -> list[str]:
    list(bulk.resolve(tasks.connect, order_of(tasks, task_id)))
    return [target.task_id for target in targets(tasks, task_id)]


def test_a_filter_is_of_the_tasks_before_the_order_the_oldest_first(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PAGE", 2)
    before = [tasks.create() for _ in range(5)]
    tasks.create(job_type="another")

    task_id = ordered(tasks, CANCEL, Listing(user_id=tasks.user_id, job_type="emit_load"))
    tasks.create()

    assert resolved(tasks, task_id) == before
    assert order_of(tasks, task_id)[-2:] == (None, False), "it is resolved once, and had no more"


def test_of_more_than_it_takes_the_newest_are_taken(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PAGE", 2)
    monkeypatch.setattr(bulk, "MOST_FOUND", 3)
    before = [tasks.create() for _ in range(5)]

    task_id = ordered(tasks, CANCEL, Listing(user_id=tasks.user_id, job_type="emit_load"))

    assert resolved(tasks, task_id) == before[2:]
    assert order_of(tasks, task_id).more


def test_a_filter_without_an_index_is_left_after_so_many_pages(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PAGE", 1)
    monkeypatch.setattr(bulk, "MOST_PAGES", 2)
    before = [tasks.create() for _ in range(4)]

    task_id = ordered(tasks, CANCEL, Listing(user_id=tasks.user_id, q="title"))

    # The bulk action itself is none of them, though its title matches.
    assert resolved(tasks, task_id) == before[2:]
    assert order_of(tasks, task_id).more


def test_of_those_that_did_not_succeed_others_are_looked_for(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PAGE", 1)
    first, *fine = [tasks.create() for _ in range(4)]
    sql(tasks.database, "UPDATE tasks SET status = 'SUCCESS' WHERE id = ANY(%s::uuid[])", fine)

    task_id = ordered(tasks, RETRY, Listing(user_id=tasks.user_id, job_type="emit_load", unsuccessful=True))

    assert resolved(tasks, task_id) == [first]
    assert not order_of(tasks, task_id).more


def test_another_attempt_goes_on_where_the_first_was_lost(tasks: Tasks) -> None:
    first, second = tasks.create(), tasks.create()
    task_id = ordered(tasks, CANCEL, [first, second])
    order = order_of(tasks, task_id)
    lost = BulkAction(tasks.transaction, order, UNLIMITED)
    lost.settle(targets(tasks, task_id)[0])

    again = BulkAction(tasks.transaction, order, UNLIMITED)
    settled = [again.settle(target).target for target in targets(tasks, task_id)]

    assert [(target.task_id, target.outcome) for target in settled] == [
        (first, CANCELLED), (second, CANCELLED),
    ]  # fmt: skip
    assert [tasks.statuses(one) for one in (first, second)] == [["PENDING", "REVOKED"]] * 2
    assert settled == targets(tasks, task_id)


def again(tasks: Tasks, task_id: str) -> str:
    """Starts the task again, as a call for it alone does; returns the id of the retry."""
    with tasks.transaction() as tx:
        return retries.retry(
            tx, load(tx.cur, [task_stream(task_id)])[task_stream(task_id)]["task"], 0
        ).task_id


def retried(tasks: Tasks, ids: list[str]) -> list[tuple[str | None, str | None]]:
    """Starts the tasks again by a bulk action; returns what became of each. Where a retry was made it has no id."""
    order = order_of(tasks, bulk_id := ordered(tasks, RETRY, ids))
    acting = BulkAction(tasks.transaction, order, UNLIMITED)
    found = [acting.settle(target).target for target in targets(tasks, bulk_id)]
    return [(each.outcome, each.about if each.outcome == REFUSED else None) for each in found]


@pytest.mark.parametrize("status", [None, "SUCCESS", "FAILURE"])
def test_a_task_that_was_started_again_is_not_however_that_went(tasks: Tasks, status: str | None) -> None:
    tasks.cancel(first := tasks.create())
    second = again(tasks, first)
    if status:
        assert tasks.claim(second)
        tasks.end(second, status)

    alone, both = retried(tasks, [first]), retried(tasks, [first, second])

    refused = REFUSED, f"It was started again as {second}"
    assert (alone, both[0]) == ([refused], refused)
    open_ = REFUSED, "The task has not ended: PENDING; cancel it, or wait for its end"
    assert both[1] == ((RETRIED, None) if status else open_)


def test_of_two_retries_of_a_task_the_later_is_started_again(tasks: Tasks) -> None:
    tasks.cancel(first := tasks.create())
    tasks.cancel(second := again(tasks, first))
    tasks.cancel(third := again(tasks, first))
    tasks.cancel(other := tasks.create())

    assert retried(tasks, [first, second, third, other]) == [
        (REFUSED, f"It was started again as {third}"),
        (REFUSED, f"It was started again as {third}"),
        (RETRIED, None),
        (RETRIED, None),
    ]


def test_the_steps_of_all_that_is_started_again_have_a_limit(tasks: Tasks) -> None:
    params = {"mode": "parallel", "steps": [{"job_type": "emit_load", "params": {}}] * 3}
    ended = [tasks.create(job_type=ORCHESTRATE, params=params) for _ in range(2)]
    for task_id in ended:
        tasks.cancel(task_id)
    order = order_of(tasks, bulk_id := ordered(tasks, RETRY, ended))
    acting = BulkAction(tasks.transaction, order, Limits(0, 5))

    outcomes = [acting.settle(target).target for target in targets(tasks, bulk_id)]

    assert [target.outcome for target in outcomes] == [RETRIED, REFUSED]
    assert outcomes[1].about == "One bulk action starts 5 steps at most"


def test_who_has_used_up_the_daily_budget_is_refused_each(tasks: Tasks) -> None:
    ended = [tasks.create() for _ in range(2)]
    for task_id in ended:
        tasks.cancel(task_id)
    order = order_of(tasks, bulk_id := ordered(tasks, RETRY, ended))
    acting = BulkAction(tasks.transaction, order, Limits(1, 1_000))

    outcomes = [acting.settle(target).target for target in targets(tasks, bulk_id)]

    assert [target.outcome for target in outcomes] == [REFUSED, REFUSED]
    assert "daily budget" in str(outcomes[0].about)
