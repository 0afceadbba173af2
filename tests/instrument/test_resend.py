"""Tasks that are started again, because somebody wants it on their page."""

from __future__ import annotations

import pytest

from tests.instrument.shop import Shop
from tests.support.system import wait_for

pytestmark = pytest.mark.slow


def ends(shop: Shop, task_id: str) -> list[str]:
    return [status for status in shop.statuses(task_id) if status in ("SUCCESS", "FAILURE")]


def again(shop: Shop, task_id: str) -> None:
    """Lets a worker hear that the task is wanted again, and waits until it has run once more."""
    before = len(ends(shop, task_id))
    shop.resend(task_id)
    wait_for("the second run", lambda: len(ends(shop, task_id)) > before)


def test_a_worker_starts_a_task_again_with_the_arguments_of_the_message(shop: Shop) -> None:
    with shop.worker():
        one = shop.send("changes", [1, 2])
        assert shop.ended(one, "SUCCESS")["result"] == [1, 2, 3]

        again(shop, one)

    # The same id, as another attempt: the server makes a task of its own of what begins after an end.
    assert [event["result"] for event in shop.events(one, "task_status") if "result" in event] == [
        [1, 2, 3]
    ] * 2
    assert len(shop.attempts(one)) == 2


def test_a_chain_goes_on_after_a_part_of_it_was_started_again(shop: Shop) -> None:
    with shop.worker():
        (ids,) = shop.run(
            "sent = chain(fails_once.si(), add.si(20, 1)).delay()\nprint(sent.parent.id, sent.id)"
        )
        first, last = ids.split()
        shop.ended(first, "FAILURE")

        again(shop, first)

        assert ends(shop, first) == ["FAILURE", "SUCCESS"]
        assert shop.ended(last, "SUCCESS")["result"] == 21
        assert shop.fields(last)["parent_id"] == first


def test_the_worker_that_has_received_a_task_last_starts_it_for_another(shop: Shop) -> None:
    with shop.worker(name="one"):
        one = shop.send("add", 1, 2)
        shop.ended(one, "SUCCESS")
        with shop.worker("solo", name="two") as second:
            # Only the second one hears that the task is wanted, and it has never had it.
            shop.resend(one, pid=second.pid)
            wait_for("the second run", lambda: len(ends(shop, one)) == 2)

    assert len(shop.attempts(one)) == 2


def test_the_process_that_has_sent_a_task_can_start_it_again(shop: Shop) -> None:
    program = """
sent = add.delay(1, 2)
print(sent.id)
sent.get(timeout=60)
server._clients["https://rooms.example", "trk_of_a_test"]._resend(sent.id)
for thread in threading.enumerate():
    if thread.name == "taskroom-broker":
        thread.join()
"""
    with shop.worker("solo"):
        (one,) = shop.run(program)
        wait_for("the second run", lambda: len(ends(shop, one)) == 2)


def test_what_no_worker_remembers_is_said_in_the_log(shop: Shop) -> None:
    with shop.worker("solo"):
        shop.resend("5b4f4d4e-0000-4000-8000-000000000000")

        wait_for("the warning", lambda: "no worker here remembers it" in shop.log())
        assert shop.ended(shop.send("add", 1, 2), "SUCCESS")["result"] == 3


def test_a_large_message_is_not_offered(shop: Shop) -> None:
    with shop.worker("solo"):
        one = shop.send("add", "x" * 5_000, "y")
        shop.ended(one, "SUCCESS")

    assert shop.fields(one)["can_retry"] is False
