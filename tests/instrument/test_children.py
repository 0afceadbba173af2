"""Processes of a worker that end before their tasks do, and what the main process says then."""

from __future__ import annotations

import os
import signal

import pytest

from taskroom.celery.lost import LINE
from tests.instrument.conftest import MakeShop
from tests.instrument.shop import Shop
from tests.support.accepted import wait_accepted
from tests.support.system import wait_for

pytestmark = pytest.mark.slow

BEFORE_A_KILL: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("add", (1, 2)),
    ("fails", ()),
    ("later", ()),
    ("dies", ()),
)


def ends_of(shop: Shop, task_id: str) -> list[tuple[str | None, str]]:
    """The attempt, or None, and the status of each end that was reported."""
    return [
        (one["attempt"] and one["attempt"][:2], one["event"]["status"])
        for one in shop.of(task_id)
        if one["kind"] == "event" and one["event"].get("status") in ("RETRY", "SUCCESS", "FAILURE", "REVOKED")
    ]


def test_of_a_killed_child_the_main_process_reports_the_end(running: Shop) -> None:
    one = running.send("dies")

    error = running.ended(one, "FAILURE")["error"]

    assert error["type"] == "WorkerLostError"
    assert "SIGKILL" in error["message"]
    assert running.lines(one) == ["about to die"]
    assert ends_of(running, one) == [(None, "FAILURE")]
    first, *_, last = [said["fields"] for said in running.of(one) if said["kind"] == "task"]
    assert last["worker"] == first["worker"]  # so that it ends no attempt of another worker
    assert running.ended(running.send("add", 1, 2), "SUCCESS")["result"] == 3


def test_what_a_killed_child_may_not_have_sent_the_main_process_says_too(shop: Shop) -> None:
    with shop.worker(concurrency=1):
        added, failed, tried, killed = (shop.send(name, *args) for name, args in BEFORE_A_KILL)
        shop.ended(killed, "FAILURE")
        wait_for("the main process", lambda: ends_of(shop, added)[1:] and ends_of(shop, failed)[1:])

    assert ends_of(shop, added) == [("0-", "SUCCESS"), (None, "SUCCESS")]
    assert ends_of(shop, failed) == [("0-", "FAILURE"), (None, "FAILURE")]
    own, said = (event["error"] for event in shop.events(failed, "task_status")[-2:])
    # The main process has the text of the traceback, and not its frames, so it knows no source.
    known = ("type", "message", "traceback")
    assert [said[name] for name in known] == [own[name] for name in known]
    assert "Traceback" in said["traceback"]
    assert shop.lines(added) == [LINE]
    first, *_, last = [one["fields"] for one in shop.of(added) if one["kind"] == "task"]
    assert last["worker"] == first["worker"]
    assert ends_of(shop, killed) == [(None, "FAILURE")]
    assert not [end for end in ends_of(shop, tried) if end[0] is None]  # what comes next is its next attempt


def test_a_message_that_comes_again_is_another_attempt(running: Shop) -> None:
    one = running.send("dies_once")

    assert running.ended(one, "SUCCESS")["result"] == "survived"

    # Nobody reports the end of the first: a next attempt ends the one before.
    assert running.statuses(one) == ["STARTED", "STARTED", "SUCCESS"]
    assert len(running.attempts(one)) == 2
    assert running.lines(one) == ["about to die"]


@pytest.mark.parametrize("limit", ["time_limit", "soft_time_limit"])
def test_a_time_limit_is_a_failure(running: Shop, limit: str) -> None:
    one = running.send("waits", "never", **{limit: 1})

    error = running.ended(one, "FAILURE")["error"]

    assert (
        error["type"]
        == {"time_limit": "TimeLimitExceeded", "soft_time_limit": "SoftTimeLimitExceeded"}[limit]
    )
    assert len(running.lines(one)) == 1


def test_a_revoke_that_terminates_says_so(running: Shop) -> None:
    one = running.send("waits", "never")
    running.has_line(one, "waiting")

    running.sender.control.revoke(one, terminate=True)
    running.ended(one, "REVOKED")

    assert running.lines(one)[1:] == ["Terminated by a revoke: SIGTERM"]
    assert running.fields(one)["can_retry"] is False  # workers keep the id of a revoked task
    assert ends_of(running, one) == [(None, "REVOKED")]


def test_a_task_that_was_revoked_or_had_expired_before_it_began(shop: Shop) -> None:
    with shop.worker(concurrency=1):
        busy = shop.send("waits", "go")
        shop.has_line(busy, "waiting")
        revoked = shop.send("talk")
        shop.sender.control.revoke(revoked, reply=True, timeout=60, limit=1)
        expired = shop.send("talk", expires=0.001)
        shop.allow("go")

        shop.ended(revoked, "REVOKED")
        if not shop.broker.startswith("amqp"):  # RabbitMQ drops the message itself
            shop.ended(expired, "REVOKED")
            assert [line[:26] for line in shop.lines(expired)] == ["Expired: it was to begin b"]
            error = shop.events(expired, "task_status")[-1]["error"]
            assert error["type"] == "Expired" and error["message"].startswith("It was to begin before ")
            assert shop.statuses(expired) == ["REVOKED"]

    assert shop.lines(revoked) == ["Revoked before it began"]
    assert shop.statuses(revoked) == ["REVOKED"]


def test_an_unknown_task_and_an_unreadable_message_are_failures(running: Shop) -> None:
    unknown = str(running.sender.send_task("shop.gone").id)
    unreadable = running.send("add", 1, 2, serializer="pickle")

    error, other = running.ended(unknown, "FAILURE")["error"], running.ended(unreadable, "FAILURE")["error"]

    assert error == {"type": "NotRegistered", "message": "No worker that got it has a task shop.gone"}
    assert other["type"] == "ContentDisallowed"


def test_a_task_that_exits_its_process_is_a_failure(running: Shop) -> None:
    one = running.send("exits")

    running.ended(one, "FAILURE")

    assert ends_of(running, one)[0] == ("0-", "FAILURE")
    assert running.ended(running.send("add", 1, 2), "SUCCESS")["result"] == 3


def test_where_a_child_runs_one_task_its_end_costs_no_network(make_shop: MakeShop) -> None:
    shop = make_shop()
    with shop.worker("prefork", "--max-tasks-per-child", "1"):
        ids = [shop.send("add", n, n) for n in range(3)]
        for one in ids:
            shop.ended(one, "SUCCESS")
        pids = {one["pid"] for task_id in ids for one in shop.of(task_id)}
        assert len(pids) == 3

        def closed() -> bool:
            done = {}
            for one in shop.said("spool_now", "close"):
                done.setdefault(one["pid"], []).append((one["kind"], one.get("timeout")))
            return all(done.get(pid) == [("spool_now", None), ("close", 0.0)] for pid in pids)

        wait_for("the children to leave what they have said", closed)
    # Nobody was lost, so the main process has nothing to add.
    assert [ends_of(shop, one) for one in ids] == [[("0-", "SUCCESS")]] * 3


def test_all_processes_of_a_worker_send_what_they_have_before_they_end(shop: Shop) -> None:
    with shop.worker() as worker:
        one = shop.send("add", 1, 2)
        shop.ended(one, "SUCCESS")
        (child,) = {each["pid"] for each in shop.of(one)}

    closed = {each["pid"]: each["timeout"] for each in shop.said("close")}
    assert closed[child] == closed[worker.pid] == 2.0


def test_a_task_of_a_worker_that_is_stopped_at_once_has_no_end_yet(make_shop: MakeShop) -> None:
    shop = make_shop({"task_acks_late": True, "task_reject_on_worker_lost": True})
    with shop.worker() as worker:
        one = shop.send("waits", "never")
        shop.has_line(one, "waiting")
        (child,) = {each["pid"] for each in shop.of(one)}
        wait_accepted(shop.sender.control, 1, shop.host())

        worker.send_signal(signal.SIGQUIT)
        wait_for("the end of the child", lambda: any(each["pid"] == child for each in shop.said("close")))
        os.killpg(worker.pid, signal.SIGKILL)  # Celery does not always end after a signal of this kind
        worker.wait(60)

    # Its message is delivered again, to the next attempt.
    assert shop.statuses(one) in (["STARTED"], ["STARTED", "RETRY"])
