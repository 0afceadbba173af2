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


def test_a_worker_starts_a_task_again_with_the_arguments_of_the_message(running: Shop) -> None:
    one = running.send("changes", [1, 2])
    assert running.ended(one, "SUCCESS")["result"] == [1, 2, 3]

    again(running, one)

    # The same id, as another attempt: the server makes a task of its own of what begins after an end.
    assert [event["result"] for event in running.events(one, "task_status") if "result" in event] == [
        [1, 2, 3]
    ] * 2
    assert len(running.attempts(one)) == 2


def test_a_chain_goes_on_after_a_part_of_it_was_started_again(running: Shop) -> None:
    (ids,) = running.run(
        "sent = chain(fails_once.si(), add.si(20, 1)).delay()\nprint(sent.parent.id, sent.id)"
    )
    first, last = ids.split()
    running.ended(first, "FAILURE")

    again(running, first)

    assert ends(running, first) == ["FAILURE", "SUCCESS"]
    assert running.ended(last, "SUCCESS")["result"] == 21
    assert running.fields(last)["parent_id"] == first


def test_the_worker_that_has_received_a_task_last_starts_it_for_another(shop: Shop) -> None:
    with shop.worker(name="one"):
        one = shop.send("add", 1, 2)
        shop.ended(one, "SUCCESS")
        with shop.worker("solo", name="two") as second:
            # Only the second one hears that the task is wanted, and it has never had it.
            shop.resend(one, pid=second.pid)
            wait_for("the second run", lambda: len(ends(shop, one)) == 2)

    assert len(shop.attempts(one)) == 2


def test_the_process_that_has_sent_a_task_can_start_it_again(running: Shop) -> None:
    program = """
sent = add.delay(1, 2)
print(sent.id)
sent.get(timeout=60)
server._clients["https://rooms.example", "trk_of_a_test"]._resend(sent.id)
for thread in threading.enumerate():
    if thread.name == "taskroom-broker":
        thread.join()
"""
    (one,) = running.run(program)
    wait_for("the second run", lambda: len(ends(running, one)) == 2)


def test_what_no_worker_remembers_is_said_in_the_log(running: Shop) -> None:
    running.resend("5b4f4d4e-0000-4000-8000-000000000000")

    wait_for("the warning", lambda: "no worker here remembers it" in running.log())
    told = wait_for("the word to the server", lambda: running.fields("5b4f4d4e-0000-4000-8000-000000000000"))
    assert told == {"can_retry": False}
    assert running.ended(running.send("add", 1, 2), "SUCCESS")["result"] == 3


def test_a_large_message_is_not_offered(running: Shop) -> None:
    one = running.send("add", "x" * 5_000, "y")
    running.ended(one, "SUCCESS")

    assert running.fields(one)["can_retry"] is False
