"""Tasks as the process reports them that sends them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.instrument.conftest import MakeShop
from tests.instrument.shop import Shop, task
from tests.support.system import ROOT, wait_for

pytestmark = pytest.mark.slow


def test_a_task_waits_from_when_it_is_sent(shop: Shop) -> None:
    one, second = shop.run("print(add.delay(1, y=2).id); print(add.apply_async((1, 2), countdown=3600).id)")

    assert shop.of(one) == [
        {
            "kind": "task",
            "pid": shop.of(one)[0]["pid"],
            "task_id": one,
            "attempt": None,
            "fields": {
                "job_type": task("add"),
                "params": {"x": 1, "y": 2},
                "can_retry": True,
                "queue": shop.queue,
            },
        },
        {
            "kind": "event",
            "pid": shop.of(one)[0]["pid"],
            "task_id": one,
            "attempt": None,
            "event": {"type": "task_status", "status": "PENDING"},
        },
    ]
    assert shop.lines(one) == []
    assert shop.statuses(second) == ["PENDING"]
    (due,) = shop.lines(second)
    assert re.fullmatch(r"Due in [\d,]+ s, at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", due)


def test_what_the_broker_has_not_taken_does_not_wait(shop: Shop) -> None:
    program = """
app.conf.broker_url = "redis://127.0.0.1:1/0"
try:
    add.apply_async((1, 2), task_id="refused", retry=False)
except add.OperationalError as error:
    print("as without it")
"""
    assert shop.run(program) == ["as without it"]

    assert shop.of("refused") == []


def test_a_fault_of_the_reports_does_not_reach_the_sender(running: Shop) -> None:
    program = """
def fail(*_, **__):
    raise RuntimeError("broken")
Recorder.task = Recorder.event = fail
print(add.delay(1, 2).id)
"""
    (one,) = running.run(program)

    assert running.ended(one, "SUCCESS")["result"] == 3
    assert running.statuses(one) == ["STARTED", "SUCCESS"]


def test_patterns_choose_the_tasks(make_shop: MakeShop) -> None:
    shop = make_shop(include=("*.add", "*.t*"), exclude=("*.talk",))

    ids = shop.run(
        "for each in (add.si(1, 2), total.si([1]), talk.si(), login.si('a', 'b')): print(each.delay().id)"
    )

    assert [bool(shop.of(one)) for one in ids] == [True, True, False, False]


def test_a_task_that_is_not_reported_is_passed_over_in_the_tree(make_shop: MakeShop) -> None:
    shop = make_shop(exclude=("*.hidden",))
    program = """
sent = chain(add.si(1, 1), hidden.si(), add.si(3, 3)).delay()
print(sent.id, sent.parent.id, sent.parent.parent.id)
"""
    with shop.worker():
        last, hidden, first = shop.run(program)[0].split()
        shop.ended(last)
        children = wait_for(
            "the child of the hidden task",
            lambda: [
                one["task_id"] for one in shop.said("task") if one["fields"].get("params") == {"x": 2, "y": 2}
            ],
        )
        shop.ended(children[0])

    assert shop.of(hidden) == []
    assert shop.fields(last)["parent_id"] == first
    assert shop.fields(children[0])["parent_id"] == first


def test_a_group_that_is_sent_from_outside_has_no_parent_but_its_group(running: Shop) -> None:
    lines = running.run(
        "sent = group(add.s(n, n) for n in range(3)).delay()\nprint(sent.id, *[one.id for one in sent])"
    )
    group, *members = lines[0].split()
    for one in members:
        running.ended(one, "SUCCESS")

    for one in members:
        assert running.fields(one)["group_id"] == group
        assert not running.fields(one).keys() & {"parent_id", "root_id"}  # each member is its own root


def test_a_chord_and_a_chain_hang_together(running: Shop) -> None:
    program = """
sent = chord((add.s(n, n) for n in range(3)), chain(total.s(), add.s(5))).delay()
print(sent.id, sent.parent.id)
"""
    last, group = running.run(program)[0].split()
    assert running.ended(last, "SUCCESS")["result"] == 11

    said = running.said("task")
    header = {one["task_id"] for one in said if one["fields"].get("group_id") == group} - {last}
    (body,) = {one["task_id"] for one in said if one["fields"]["job_type"] == task("total")}
    assert len(header) == 3
    assert not any("parent_id" in running.fields(one) for one in header)
    assert not any("title" in running.fields(one) for one in (*header, last))
    assert running.fields(body)["title"] == f"Chord body: {task('total')}"
    assert running.fields(body)["parent_id"] in header  # the member that ended last has sent it
    assert running.fields(last)["parent_id"] == body


def test_without_the_tree_no_task_has_a_parent(make_shop: MakeShop) -> None:
    shop = make_shop(tree=False)
    with shop.worker():
        one = shop.send("spawns")
        child = shop.ended(one, "SUCCESS")["result"]
        shop.ended(child, "SUCCESS")

    assert not shop.fields(child).keys() & {"parent_id", "root_id", "group_id"}


def test_an_id_that_is_no_uuid_and_one_that_is_too_long(running: Shop) -> None:
    long = "x" * 200
    running.run(f"add.apply_async((1, 2), task_id='order-17'); add.apply_async((3, 4), task_id='{long}')")
    assert running.ended("order-17", "SUCCESS")["result"] == 3
    (short,) = {
        one["task_id"] for one in running.said("task") if one["fields"].get("params") == {"x": 3, "y": 4}
    }
    assert running.ended(short, "SUCCESS")["result"] == 7

    assert len(short) == 36


def test_stamps_and_headers_of_the_project_stay_as_they_are(running: Shop) -> None:
    program = """
print(headers.delay().id)
signature = headers.s()
signature.stamp(shop="berlin")
print(signature.apply_async(headers={"mine": 1}).id)
"""
    plain, stamped = running.run(program)

    assert running.ended(plain, "SUCCESS")["result"][0] is None
    seen, stamps = running.ended(stamped, "SUCCESS")["result"]

    assert seen == {"mine": 1, "shop": "berlin"} or seen == {"mine": 1}
    assert stamps in ({"shop": ["berlin"]}, {"shop": "berlin"})


def test_messages_of_protocol_1_are_reported(make_shop: MakeShop) -> None:
    shop = make_shop({"task_protocol": 1})
    with shop.worker():
        (one,) = shop.run("print(add.delay(1, 2).id)")
        assert shop.ended(one, "SUCCESS")["result"] == 3

    # A worker may have the message before the sender says that it waits: for the server this changes nothing then.
    statuses = shop.statuses(one)
    assert statuses.count("PENDING") == 1
    assert [status for status in statuses if status != "PENDING"] == ["STARTED", "SUCCESS"]
    assert shop.fields(one)["params"] == {"x": 1, "y": 2}
    assert shop.fields(one)["can_retry"] is False  # its message is not kept


def test_an_eager_task_is_reported_once_with_its_retry(make_shop: MakeShop) -> None:
    shop = make_shop({"task_always_eager": True})

    one, second = shop.run(
        "print(flaky.delay('done').id)\nresult = chain(add.s(1, 2), add.s(4)).delay()\nprint(result.id)"
    )

    assert shop.statuses(one) == ["STARTED", "RETRY", "STARTED", "SUCCESS"]
    assert len(shop.attempts(one)) == 2
    assert shop.fields(one)["params"] == {"name": "done"}
    assert shop.statuses(second) == ["STARTED", "SUCCESS"]
    assert shop.fields(second)["can_retry"] is False


def test_an_eager_task_in_a_run_is_its_child(make_shop: MakeShop) -> None:
    shop = make_shop({"task_always_eager": True})

    run, child = shop.run(
        "with taskroom.run('batch', url='https://rooms.example', key='trk_of_a_test') as run:\n"
        "    print(run.id)\n    sent = add.delay(1, 2)\nprint(sent.id)"
    )

    assert shop.fields(child)["parent_id"] == run
    assert shop.lines(run) == [run]


def test_the_streams_of_a_process_that_calls_tasks_as_functions_stay_its_own(make_shop: MakeShop) -> None:
    shop = make_shop({"task_always_eager": True})

    lines = shop.run("before = sys.stdout\ntalk.delay()\nprint('', sys.stdout is before, sep='\\n')")

    assert lines == ["a b", "no newline", "True"]


def test_a_process_without_a_server_is_as_it_was(shop: Shop) -> None:
    program = """
import warnings; warnings.simplefilter("error")
from celery import Celery, signals
import taskroom
app = Celery("x")
taskroom.instrument(app)
print(len(signals.task_prerun.receivers), len(signals.before_task_publish.receivers))
"""
    env = {"PATH": "", "PYTHONPATH": f"{ROOT / 'sdk'}"}
    done = subprocess.run(
        (sys.executable, "-c", program), env=env, capture_output=True, text=True, check=True
    )

    assert done.stdout == "0 0\n"
    assert (
        done.stderr == "runs are reported nowhere: set TASKROOM_URL and TASKROOM_KEY, or pass url= and key=\n"
    )


def test_what_cannot_be_used_is_said_at_once(shop: Shop) -> None:
    program = """
for wrong in ({"cancel": "kill"}, {"include": "shop.*"}, {"redact": "password"}):
    try:
        taskroom.instrument(Celery("other"), url="https://rooms.example", key="trk_x", **wrong)
    except ValueError as error:
        print(error)
"""
    assert shop.run(program) == [
        'cancel is "raise" or "terminate", not \'kill\'',
        "include is a list of texts, such as ('shop.*',)",
        "redact is a list of texts, such as ('password',)",
    ]
