"""Rounds send again what nobody claimed, and lose nothing where the broker goes away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.broker import BrokerDown
from app.tasks import dispatch
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks
from tests.tasks.test_lease_reaper import Web, overdue


@pytest.fixture
def web(database: str) -> Iterator[Web]:
    web = Web(database)
    yield web
    web.rounds._connect.close()


def test_what_nobody_claims_is_sent_again_with_back_off_under_its_number(tasks: Tasks, web: Web):
    task_id = tasks.create(job_type="artifact")
    web.turn()
    web.sent.clear()

    for sends in range(2, 9):
        web.turn()
        assert web.sent == []
        overdue(tasks, task_id)
        web.turn()
        assert web.sent == [(f"{task_id}.1", "queue of artifact", (task_id, 1))]
        web.sent.clear()
        ((wait,),) = sql(
            tasks.database, "SELECT extract(epoch FROM next_send_at - now())::float FROM dispatches"
        )
        expected = min(30 * 2**sends, dispatch.RESEND_LIMIT_SECONDS)
        assert expected / 2 < wait <= expected, "and not the wait before"
        assert tasks.dispatches() == {task_id: (1, sends)}

    assert tasks.claim(task_id, 1)
    overdue(tasks, task_id)
    web.turn()
    assert web.sent == []


def test_a_redis_that_lost_its_data_gets_everything_that_is_due(
    tasks: Tasks, web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dispatch, "RESEND_BATCH", 3)
    waiting = [tasks.create() for _ in range(7)]
    tasks.started()
    later = tasks.started()
    tasks.end(later, "RETRY", retry_in=600)
    web.turn()
    web.sent.clear()
    web.turn()
    assert web.sent == []

    web.run_id = "two"
    web.turn()

    assert sorted(web.sent_tasks()) == sorted(waiting)
    assert {number for _, _, (_, number) in web.sent} == {1}
    web.turn()
    assert len(web.sent) == 7


def test_an_overdue_retry_is_sent_under_its_new_number(tasks: Tasks, web: Web):
    task_id = tasks.started()
    web.turn()
    tasks.end(task_id, "RETRY", retry_in=0)
    overdue(tasks, task_id)

    web.turn()

    assert web.sent == [(f"{task_id}.2", "queue of emit_load", (task_id, 2))]


def test_while_redis_is_away_nothing_is_sent_and_then_everything(tasks: Tasks, web: Web):
    task_id = tasks.create()
    web.turn()
    web.sent.clear()
    web.redis_is_away = True
    overdue(tasks, task_id)

    with pytest.raises(BrokerDown):  # the thread of the rounds logs it, and goes on
        web.turn()
    assert web.sent == [] and tasks.dispatches() == {task_id: (1, 1)}
    web.redis_is_away, web.run_id = False, "two"
    web.turn()

    assert web.sent_tasks() == [task_id]


def test_a_broker_that_goes_away_in_the_middle_loses_nothing(
    tasks: Tasks, web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dispatch, "RESEND_BATCH", 3)
    waiting = [tasks.create() for _ in range(7)]
    web.takes = 4

    web.turn()
    assert len(web.sent) == 4
    web.takes, web.run_id = 1_000_000, "two"
    web.turn()

    assert sorted(web.sent_tasks()[4:]) == sorted(waiting)
