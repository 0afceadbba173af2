"""Cancel and retry of observed tasks reach the program that runs them with the answers to its batches."""

from __future__ import annotations

import uuid

import pytest

from tests.api.answers import problem
from tests.api.reporters import DONE, PENDING, STARTED, Reporter, line, new_task, part, status
from tests.support.system import System, User


def cancel(user: User, task_id: str) -> int:
    return user.client.post(f"/api/v2/tasks/{task_id}/cancel").status_code


def retry(user: User, task_id: str, key: str = "") -> int:
    headers = {"Idempotency-Key": key} if key else {}
    return user.client.post(f"/api/v2/tasks/{task_id}/retry", headers=headers).status_code


def test_a_task_that_runs_is_named_in_each_answer_until_it_ends(user: User) -> None:
    reporter, other = Reporter(user), Reporter(user)
    task_id, second = reporter.started(), reporter.started()

    assert cancel(user, task_id) == 202
    named = reporter.send(part(task_id, line("working")), part(second, line("working")))
    again = reporter.send(part(task_id))
    only_running = other.send(workers=[{"name": "w", "running": [task_id, second]}])
    not_named = reporter.send(part(second, line("working")))
    ended = reporter.send(part(task_id, status("REVOKED")))

    assert [a["cancel"] for a in (named, again, only_running)] == [[task_id]] * 3
    assert (not_named["cancel"], ended["cancel"]) == ([], [])
    task = user.status(task_id)["task"]
    assert (task["status"], task["error"]["type"]) == ("REVOKED", "Cancelled")
    assert user.status(second)["task"]["status"] == "STARTED"


def test_it_is_named_as_the_batch_names_it(user: User) -> None:
    reporter, name = Reporter(user), f"backup {uuid.uuid4()}"
    (row,) = reporter.accepted(new_task(STARTED, task_id=name))

    cancel(user, row["task_id"])

    assert reporter.send(part(name, line("x")))["cancel"] == [name]
    assert reporter.send(workers=[{"name": "w", "running": [name]}])["cancel"] == [name]


@pytest.mark.parametrize("events", [[PENDING], [STARTED, status("RETRY")]], ids=["PENDING", "RETRY"])
def test_a_task_that_waits_ends_at_once_and_its_attempt_is_stopped_when_it_begins(
    user: User, events: list[dict[str, object]]
) -> None:
    reporter = Reporter(user)
    mail = new_task(*events, attempt="one" if len(events) > 1 else None)
    reporter.accepted(mail)

    assert cancel(user, mail["task_id"]) == 202
    at_once = user.status(mail["task_id"])["task"]
    begun = reporter.send(part(mail["task_id"], STARTED, attempt="later"))

    assert (at_once["status"], at_once["error"]["message"]) == ("REVOKED", f"Cancelled by {user.email}")
    assert (begun["tasks"], begun["cancel"]) == ([], [mail["task_id"]])
    assert [(r["status"], r["title"]) for r in begun["refused"]] == [(409, "The task was cancelled")]
    assert len(user.get("tasks")["tasks"]) == 1
    assert cancel(user, mail["task_id"]) == 409


def test_a_cancelled_task_that_wants_to_try_again_ends(user: User) -> None:
    reporter = Reporter(user)
    first, second = reporter.started(), reporter.started()
    cancel(user, first)
    cancel(user, second)

    retried = reporter.send(part(first, status("RETRY")))
    begun = reporter.send(part(second, STARTED, attempt="two"))

    assert (retried["refused"], begun["cancel"]) == ([], [second])
    for task_id in (first, second):
        task = user.status(task_id)["task"]
        assert (task["status"], task["error"]["type"], task["retry_count"]) == ("REVOKED", "Cancelled", 0)


def test_a_cancel_reaches_all_that_is_below_also_what_is_older(user: User) -> None:
    reporter = Reporter(user)
    root, middle = str(uuid.uuid4()), str(uuid.uuid4())
    leaf, waiting = new_task(STARTED, parent_id=middle), new_task(PENDING, parent_id=middle, attempt=None)
    beside = reporter.started()
    reporter.accepted(leaf, waiting)  # before the tasks above them are known
    reporter.accepted(new_task(STARTED, DONE, task_id=middle, parent_id=root))
    reporter.accepted(new_task(STARTED, task_id=root))

    assert cancel(user, root) == 202
    answer = reporter.send(part(root), part(leaf["task_id"]), part(beside))

    assert answer["cancel"] == [root, leaf["task_id"]]
    assert user.status(waiting["task_id"])["task"]["status"] == "REVOKED"
    assert user.status(middle)["task"]["status"] == "SUCCESS"


def test_a_cancel_of_one_of_our_tasks_reaches_what_it_has_started_elsewhere(user: User) -> None:
    ours = user.start("test_outside")
    reporter = Reporter(user)
    child = reporter.started(parent_id=ours)

    assert cancel(user, ours) == 202

    assert user.status(ours)["task"]["status"] == "REVOKED"
    assert reporter.send(part(child))["cancel"] == [child]


def test_more_than_one_transaction_takes_are_cancelled_too(user: User) -> None:
    reporter, root = Reporter(user), str(uuid.uuid4())
    children = [new_task(PENDING, parent_id=root, attempt=None) for _ in range(240)]
    for n in range(0, 240, 48):
        reporter.accepted(*children[n : n + 48])

    assert cancel(user, root) == 202

    assert user.get("tasks/counts")["counts"]["REVOKED"] == 241


def ended(reporter: Reporter, **more: object) -> str:
    mail = new_task(STARTED, status("FAILURE"), can_retry=True, **more)
    reporter.accepted(mail)
    return str(mail["task_id"])


def test_a_retry_is_a_wish_that_the_writer_of_the_last_attempt_gets_once(user: User) -> None:
    reporter, beside = Reporter(user), Reporter(user)
    task_id = ended(reporter)
    beside.send()

    asked = user.client.post(f"/api/v2/tasks/{task_id}/retry")
    to_another = beside.send()
    told = reporter.send(new_task(STARTED))
    repeat = reporter.again(*[])
    later = reporter.send()

    assert asked.status_code == 202
    assert asked.json() == {
        "task_id": task_id,
        "status": "FAILURE",
        "sequence": user.status(task_id)["sequence"],
        "retry_of": task_id,
    }
    assert asked.headers["Location"] == f"/api/v2/tasks/{task_id}/status"
    assert (to_another["resend"], told["resend"], later["resend"]) == ([], [task_id], [])
    assert repeat.status_code == 409, "other content under its number"


def test_a_repeat_of_the_batch_gets_the_wish_again(user: User) -> None:
    reporter = Reporter(user)
    task_id = ended(reporter)
    assert retry(user, task_id) == 202

    first, again = reporter.send(), reporter.again()

    assert first["resend"] == [task_id]
    assert again.json() == first


def test_any_writer_of_the_key_gets_the_wish_when_the_last_has_gone(
    system: System, user: User, other: User
) -> None:
    gone, beside, stranger = Reporter(user), Reporter(user), Reporter(other)
    task_id = ended(gone)
    fixed, of_another_type = new_task(STARTED), new_task(STARTED, job_type="shop.pay", can_retry=True)
    stranger.send()
    assert retry(user, task_id) == 202
    assert beside.send()["resend"] == []

    system.sql(
        """UPDATE writers SET seen_at = now() - interval '31 s' WHERE id IN
           (SELECT writer FROM reported_attempts WHERE reported_id = %s)""",
        task_id,
    )

    assert stranger.send(new_task(STARTED, can_retry=True))["resend"] == []
    assert beside.send(fixed, of_another_type)["resend"] == [], "it cannot start such a task"
    assert beside.send(new_task(STARTED, can_retry=True))["resend"] == [task_id]


def test_a_process_that_tells_of_workers_gets_the_wishes_for_tasks_without_an_attempt(user: User) -> None:
    reporter, beside, main = Reporter(user), Reporter(user), Reporter(user)
    waits = new_task(PENDING, attempt=None, can_retry=True)
    reporter.accepted(waits)
    cancel(user, waits["task_id"])
    assert retry(user, waits["task_id"]) == 202

    assert beside.send()["resend"] == []
    assert main.send(workers=[{"name": "mail@host"}])["resend"] == [waits["task_id"]]


def test_a_task_that_cannot_be_started_again_any_more_says_so(user: User) -> None:
    reporter = Reporter(user)
    task_id = ended(reporter, title="Mail")
    assert retry(user, task_id) == 202
    assert reporter.send()["resend"] == [task_id]

    for _ in range(2):
        reporter.accepted({"task_id": task_id, "can_retry": False})

    assert user.status(task_id)["task"]["can_retry"] is False
    refused = problem(user.client.post(f"/api/v2/tasks/{task_id}/retry"), 409)
    assert (
        refused["detail"]
        == "Who reported the task cannot start it again; start it where it was started first"
    )
    told = [n["title"] for n in user.get("notifications")["notifications"] if n["related_id"] == task_id]
    assert told == ["Mail cannot be started again", "Mail has failed"]


def test_a_worker_hears_of_the_waiting_tasks_that_were_cancelled(user: User) -> None:
    reporter = Reporter(user)
    waits, other = (new_task(PENDING, attempt=None) for _ in range(2))
    reporter.accepted(waits, other)
    cancel(user, waits["task_id"])

    answer = reporter.send(
        workers=[{"name": "mail@host", "waiting": [waits["task_id"], other["task_id"], "x"]}]
    )

    assert answer["cancel"] == [waits["task_id"]]
    (worker,) = [each for each in user.get("workers")["workers"] if each["name"] == "mail@host"]
    assert worker["running"] == [], "it does not run them"


def test_the_process_that_tells_of_a_worker_gets_the_wishes_for_what_it_has_run(user: User) -> None:
    child, of_another, main = Reporter(user), Reporter(user), Reporter(user)
    task_id = ended(child, worker="mail@host/4711")
    assert retry(user, task_id) == 202

    assert of_another.send(workers=[{"name": "mail@hos"}, {"name": "mail@host/4711"}])["resend"] == []
    assert main.send(workers=[{"name": "mail@host"}])["resend"] == [task_id]
    assert child.send()["resend"] == []


def test_what_is_started_again_is_a_new_task_also_after_a_cancel(user: User) -> None:
    reporter, name = Reporter(user), f"backup {uuid.uuid4()}"
    mail = new_task(PENDING, task_id=name, attempt=None, can_retry=True)
    (row,) = reporter.accepted(mail)
    cancel(user, row["task_id"])

    assert retry(user, row["task_id"]) == 202
    names_it = reporter.send({"task_id": name})
    assert names_it["resend"] == [name], "by the name that the reporter has for it"
    (again,) = reporter.accepted(part(name, STARTED))

    assert (again["retry_of"], again["id"]) == (row["task_id"], name)
    assert retry(user, row["task_id"]) == 409, "while that one has not ended"


def test_whichever_run_is_started_again_the_new_one_follows_the_last(user: User) -> None:
    reporter = Reporter(user)
    first = ended(reporter)
    runs = [first]
    for attempt in ("two", "three"):
        asked = user.client.post(f"/api/v2/tasks/{first}/retry")
        assert (asked.json()["task_id"], asked.json()["retry_of"]) == (first, runs[-1])
        assert reporter.send()["resend"] == [first]
        (row,) = reporter.accepted(part(first, STARTED, attempt=attempt))
        assert row["retry_of"] == runs[-1]
        runs.append(row["task_id"])
        for task_id in runs:
            refused = problem(user.client.post(f"/api/v2/tasks/{task_id}/retry"), 409)
            assert "has not ended" in refused["detail"], "the last run goes on"
        reporter.accepted(part(first, status("FAILURE"), attempt=attempt))

    again = [
        user.client.post(f"/api/v2/tasks/{runs[1]}/retry", headers={"Idempotency-Key": "k"}) for _ in "ab"
    ]
    assert [each.json()["retry_of"] for each in again] == [runs[-1]] * 2


def test_a_task_that_its_reporter_cannot_start_is_not_retried(user: User, other: User) -> None:
    reporter = Reporter(user)
    fixed, running = new_task(STARTED, DONE), new_task(STARTED, can_retry=True)
    reporter.accepted(fixed, running)

    refused = problem(user.client.post(f"/api/v2/tasks/{fixed['task_id']}/retry"), 409)

    assert (
        refused["detail"]
        == "Who reported the task cannot start it again; start it where it was started first"
    )
    assert retry(user, running["task_id"]) == 409, "it has not ended"
    assert retry(other, fixed["task_id"]) == 404
    assert reporter.send()["resend"] == []


def test_a_second_wish_is_refused_and_a_repeated_request_is_answered_the_same(user: User) -> None:
    reporter = Reporter(user)
    task_id = ended(reporter)

    first, again = (retry(user, task_id, key="once") for _ in range(2))

    assert (first, again, retry(user, task_id)) == (202, 202, 409)
    assert reporter.send()["resend"] == [task_id]
