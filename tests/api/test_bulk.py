"""Cancel and retry of many runs: what is done, what is refused, and with whose rights."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.answers import problem
from tests.api.reporters import PENDING, Reporter, new_task
from tests.support.bulk import BULK, ask, done, lines, locked, outcomes, statuses, waiting
from tests.support.system import System, User, wait_for

KEY = {"Idempotency-Key": "the same"}


def test_named_runs_are_cancelled_and_each_other_one_is_refused_with_its_reason(user: User) -> None:
    first, second, kept = waiting(user, 3)
    ended, nobodys = user.start("test_echo", text="x"), str(uuid.uuid4())
    user.finished(ended)

    result = done(user, "cancel", ids=[second, ended, first, nobodys])

    assert statuses(user, [first, second, kept]) == ["REVOKED", "REVOKED", "PENDING"]
    assert {name: result[name] for name in ("action", "runs", "cancelled", "refused", "more")} == {
        "action": "cancel", "runs": 4, "cancelled": 2, "refused": 2, "more": False,
    }  # fmt: skip
    assert result["tasks"] == [
        {"task_id": ended, "outcome": "refused", "about": "The task has ended already: SUCCESS"},
        {"task_id": nobodys, "outcome": "refused", "about": "There is no such task"},
        {"task_id": first, "outcome": "cancelled", "about": None},
        {"task_id": second, "outcome": "cancelled", "about": None},
    ]
    assert user.status(first)["task"]["error"]["message"] == f"Cancelled by {user.email}"
    title = "Task: test_outside"
    assert lines(user, result["bulk"]) == [
        f"{title} ({first}): cancelled",
        f"{title} ({second}): cancelled",
        f"Task: test_echo ({ended}): refused. The task has ended already: SUCCESS",
        f"{nobodys}: refused. There is no such task",
    ]


def test_the_run_of_a_bulk_action_has_its_progress_and_its_words(user: User) -> None:
    ids = waiting(user, 3)

    result = done(user, "cancel", ids=ids)

    found = user.status(result["bulk"])
    assert found["task"]["title"] == "Cancel 3 chosen runs"
    assert found["task"]["current_phase_message"] == "3 cancelled"
    assert found["task"]["params"] == {"action": "cancel", "number": 3}
    act = next(phase for phase in found["phases"] if phase["phase_id"] == "act")
    assert (act["processed_count"], act["total_count"], act["error_count"]) == (3, 3, 0)


def test_a_filter_is_of_the_runs_that_were_there(user: User) -> None:
    wanted = waiting(user, 2)
    other = user.start("test_echo", text="x")
    user.finished(other)

    result = done(user, "cancel", filter={"status": "PENDING", "job_type": "test_outside"})
    later = waiting(user)

    assert outcomes(result) == dict.fromkeys(wanted, "cancelled")
    assert user.status(result["bulk"])["task"]["title"] == "Cancel my queued test_outside runs"
    assert statuses(user, later) == ["PENDING"]


def test_an_empty_filter_is_all_of_the_callers_own_and_never_the_bulk_action(user: User, other: User) -> None:
    mine, theirs = waiting(user, 2), waiting(other)

    result = done(user, "cancel", filter={})

    assert outcomes(result) == dict.fromkeys(mine, "cancelled")
    assert statuses(other, theirs) == ["PENDING"]


def test_a_running_run_is_asked_to_stop(user: User) -> None:
    task_id = user.start("test_endless")
    wait_for("it to run", lambda: user.status(task_id)["task"]["is_running"])

    assert outcomes(done(user, "cancel", ids=[task_id])) == {task_id: "asked"}

    assert user.finished(task_id)["task"]["status"] == "REVOKED"


def test_a_parent_and_its_steps_end_once_each(user: User) -> None:
    step = {"job_type": "test_outside", "params": {"text": "x"}}
    parent = user.start("orchestrate", steps=[step] * 3, mode="parallel")
    steps = wait_for(
        "its steps",
        lambda: found if len(found := user.get("tasks", parent_id=parent)["tasks"]) == 3 else None,
    )
    ids = [each["task_id"] for each in steps]

    result = done(user, "cancel", ids=[*ids, parent])

    assert user.finished(parent)["task"]["error"]["type"] == "Cancelled"
    assert set(outcomes(result).values()) <= {"cancelled", "asked"} and result["runs"] == 4
    for task_id in (*ids, parent):
        ends = [e for e in user.events(task_id) if e["data"].get("finished_at")]
        assert [end["data"]["status"] for end in ends] == ["REVOKED"]


def test_of_observed_runs_that_waited_it_is_said_that_they_may_still_run(user: User) -> None:
    (waits,), mail = waiting(user), new_task(PENDING)
    Reporter(user).accepted(mail)

    result = done(user, "cancel", ids=[waits, mail["task_id"]])

    said = user.status(result["bulk"])["task"]["current_phase_message"]
    assert said == "2 cancelled (1 may still run, if short)"
    may = "but may still run if it is short, before its worker hears of it"
    assert {each["task_id"]: each["about"] for each in result["tasks"]} == {waits: None, mail["task_id"]: may}
    assert lines(user, result["bulk"])[1].endswith(f"({mail['task_id']}): cancelled {may}")


def test_what_was_refused_is_said_at_a_glance_and_is_no_error(user: User) -> None:
    (waits,), ended = waiting(user), [user.start("test_echo", text="x") for _ in range(2)]
    for task_id in ended:
        user.finished(task_id)

    bulk = done(user, "cancel", ids=[waits, *ended])["bulk"]

    said = "1 cancelled, 2 refused"
    snapshot = user.status(bulk)
    assert snapshot["task"]["current_phase_message"] == said
    assert [phase["error_count"] for phase in snapshot["phases"]] == [0, 0]
    row = next(task for task in user.get("tasks")["tasks"] if task["task_id"] == bulk)
    assert (row["current_phase_message"], row["error_count"], row["error_lines"]) == (said, 0, 0)
    levels = [e["data"]["level"] for e in user.events(bulk) if e["type"] == "log"]
    assert levels == ["INFO", "WARNING", "WARNING"]
    notice = next(n for n in user.get("notifications")["notifications"] if n["related_id"] == bulk)
    assert (notice["title"], notice["message"]) == ("Cancel 3 chosen runs has finished", said)


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_a_bulk_action_that_changed_no_run_says_so_in_its_row_and_in_the_bell(
    user: User, action: str
) -> None:
    nobodys = [str(uuid.uuid4()) for _ in range(2)]

    bulk = done(user, action, ids=nobodys)["bulk"]

    row = next(task for task in user.get("tasks")["tasks"] if task["task_id"] == bulk)
    assert (row["status"], row["current_phase_message"]) == ("SUCCESS", "nothing done, 2 refused")
    notice = next(n for n in user.get("notifications")["notifications"] if n["related_id"] == bulk)
    assert (notice["title"], notice["message"], notice["severity"]) == (
        f"{action.capitalize()} 2 chosen runs changed nothing", "nothing done, 2 refused", "warning",
    )  # fmt: skip


def test_a_filter_that_nothing_matched_has_done_nothing(user: User) -> None:
    bulk = done(user, "cancel", filter={"status": "PENDING"})["bulk"]

    assert user.status(bulk)["task"]["current_phase_message"] == "nothing done, no run matched"


def test_a_repeat_with_the_same_key_starts_one(user: User) -> None:
    body = {"action": "cancel", "ids": waiting(user, 3)}

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: user.client.post(BULK, json=body, headers=KEY), range(4)))

    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.json()["task_id"] for answer in answers}) == 1
    changed = body | {"action": "retry"}
    problem(user.client.post(BULK, json=changed, headers=KEY), 422, "Idempotency-Key")


def test_each_task_has_its_entry_in_the_trail(user: User) -> None:
    (waits,), failed = waiting(user), user.start("test_fail", text="x")
    user.finished(failed)

    first = done(user, "cancel", ids=[waits, failed])["bulk"]
    second = done(user, "retry", ids=[failed])

    found = [
        (e["action"], e["target"], e["note"], e["number"], e["refused"], e["bulk_id"])
        for e in user.get("trail", action="runs")["entries"]
    ]
    assert found == [
        ("retry", failed, f"run {second['tasks'][0]['about']}", 1, 0, second["bulk"]),
        ("bulk_retry", second["bulk"], "", 1, 0, second["bulk"]),
        ("cancel", waits, "", 1, 0, first),
        ("bulk_cancel", first, "", 1, 1, first),
    ]


def test_a_second_one_waits_for_the_end_of_the_first_which_can_be_cancelled(
    system: System, user: User
) -> None:
    ids = waiting(user, 40)
    with locked(system, ids[20]):
        first = ask(user, "cancel", ids=ids)
        wait_for("half of them", lambda: statuses(user, ids[19:20]) == ["REVOKED"])

        refused = user.client.post(BULK, json={"action": "cancel", "ids": ids[:1]})
        assert first in problem(refused, 409)["detail"]
        assert user.client.post(f"/api/v2/tasks/{first}/cancel").status_code == 202

    assert user.finished(first)["task"]["status"] == "REVOKED"
    assert statuses(user, ids[21:]) != ["REVOKED"] * 19, "it stopped before its end"
    assert set(outcomes(done(user, "cancel", ids=ids[30:]))) == set(ids[30:])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "delete", "ids": [str(uuid.uuid4())]}, "action"),
        ({"action": "cancel"}, "ids"),
        ({"action": "cancel", "ids": []}, "ids"),
        ({"action": "cancel", "ids": ["x"]}, "ids"),
        ({"action": "cancel", "ids": [str(uuid.uuid4()) for _ in range(1001)]}, "ids"),
        ({"action": "cancel", "ids": [str(uuid.uuid4())], "filter": {}}, "ids"),
        ({"action": "cancel", "filter": {"status": "GONE"}}, "filter.status"),
        ({"action": "cancel", "filter": {"limit": 3}}, "filter.limit"),
        ({"action": "cancel", "filter": {"q": "a\0b"}}, "filter"),
        ({"action": "cancel", "filter": {}, "more": 1}, "more"),
        ({"action": "cancel", "filter": {}, "succeeded": True}, "succeeded"),
        ({"action": "retry", "ids": [str(uuid.uuid4())], "succeeded": True}, "succeeded"),
        ({"action": "retry", "filter": {}, "succeeded": "perhaps"}, "succeeded"),
    ],
)
def test_what_is_wrong_is_named(user: User, body: dict[str, Any], field: str) -> None:
    errors = problem(user.client.post(BULK, json=body), 422)["errors"]

    assert any(name == field or name.startswith(f"{field}.") for name in errors), errors


def test_starts_are_limited(system: System, user: User) -> None:
    ids = waiting(user)
    body, headers = {"action": "cancel", "ids": ids}, {"Authorization": f"Bearer {user.token}"}
    with (
        system.web(TASKROOM_BENCH="0", STARTS_PER_MINUTE="2") as url,
        httpx.Client(base_url=url, headers=headers) as client,
    ):
        answers = [client.post(BULK, json=body) for _ in range(3)]

    problem(answers[2], 429)
