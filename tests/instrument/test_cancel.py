"""How a cancel reaches a task."""

from __future__ import annotations

import uuid

import pytest

from tests.instrument.conftest import MakeShop
from tests.instrument.shop import Shop
from tests.support.system import wait_for

pytestmark = pytest.mark.slow


def test_update_state_is_a_report_too(running: Shop) -> None:
    one = running.send("counts")
    wait_for("a phase", lambda: running.events(one, "phase_update"))

    running.cancel(one)

    running.ended(one, "REVOKED")
    assert running.sender.AsyncResult(one).state == "REVOKED"


def test_what_the_task_class_wraps_around_a_call_sees_an_ignored_task(running: Shop) -> None:
    one = running.send("timed_loop")
    running.has_line(one, "turn 0")

    running.cancel(one)
    running.ended(one, "REVOKED")

    assert running.ended(running.send("add", 1, 2), "SUCCESS")["result"] == 3
    assert running.lines(one)[-1] == "left by TaskCancelled"


def test_a_chord_learns_that_a_member_was_cancelled(running: Shop) -> None:
    (ids,) = running.run(
        "sent = chord([cancelled.s(), add.s(1, 1)])(total.s())\nprint(sent.id, sent.parent[0].id)"
    )
    last, one = ids.split()
    running.has_line(one, "line 0")

    running.cancel(one)
    running.ended(one, "REVOKED")

    result = running.sender.AsyncResult(last)
    wait_for("the end of the chord", lambda: result.state == "FAILURE")
    assert "TaskRevokedError" in str(result.result)


def test_a_cancel_that_terminates_ends_a_task_that_reports_nothing(make_shop: MakeShop) -> None:
    shop = make_shop(cancel="terminate")
    with shop.worker():
        one = shop.send("waits", "never")
        shop.has_line(one, "waiting")

        shop.cancel(one)
        shop.ended(one, "REVOKED")
        assert shop.fields(one)["can_retry"] is False
        assert shop.ended(shop.send("add", 1, 2), "SUCCESS")["result"] == 3


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_task_that_waits_at_its_worker_and_is_cancelled_does_not_run(
    make_shop: MakeShop, pool: str
) -> None:
    shop = make_shop()
    with shop.worker(pool, "--prefetch-multiplier", "4", concurrency=1):
        busy = shop.send("waits", "go")
        shop.has_line(busy, "waiting")
        ids = [shop.send("talk"), shop.send("talk", countdown=1)]
        for one in ids:
            shop.cancel(one)
        wait_for("both cancels", lambda: {one["task_id"] for one in shop.said("heard")} == {*ids})
        for one in ids:  # the answers to heartbeats have said it, and no other will
            shop.forget_cancel(one)
        shop.allow("go")

        for one in ids:
            wait_for("the end in Celery", lambda one=one: shop.sender.AsyncResult(one).state == "REVOKED")
        assert [shop.lines(one) for one in ids] == [[], []]

        shop.resend(ids[1])  # the worker takes its id again
        wait_for("the next run", lambda: "SUCCESS" in shop.statuses(ids[1]))


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_task_that_was_cancelled_before_its_countdown_ended_can_be_started_again(
    make_shop: MakeShop, pool: str
) -> None:
    """Though its worker is told of the cancel once more."""
    shop = make_shop()
    with shop.worker(pool):
        one = str(uuid.uuid4())
        shop.cancel(one)  # heard as soon as the worker has the task
        shop.send("talk", task_id=one, countdown=0.1)
        wait_for("the end in Celery", lambda: shop.sender.AsyncResult(one).state == "REVOKED")
        wait_for("beats after it", lambda before=len(shop.beats()): len(shop.beats()) > before + 1)
        shop.forget_cancel(one)

        shop.resend(one)
        wait_for("the next run", lambda: "SUCCESS" in shop.statuses(one))
