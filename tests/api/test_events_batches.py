"""Batches of many tasks: each is stored once, and what is malformed is refused by its name, the part or the whole."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.reporters import DONE, PENDING, STARTED, Reporter, line, new_task, part, phase, status
from tests.support.system import System, User


def test_a_repeat_stores_nothing_twice_and_is_answered_the_same(user: User) -> None:
    reporter, mail = Reporter(user), new_task(STARTED, line("once"), params={"n": 1})

    first, again = reporter.send(mail), reporter.again(mail)
    ended = reporter.send(part(mail["task_id"], DONE))
    after_the_end = reporter.again(part(mail["task_id"], DONE))

    assert again.json() == first and "url" in first["tasks"][0]
    assert after_the_end.json() == ended
    types = [e["type"] for e in user.events(mail["task_id"])]
    assert (types.count("log"), types.count("agent_completed")) == (1, 1)


def test_the_answer_of_a_repeat_has_what_was_refused_too(user: User) -> None:
    reporter = Reporter(user)
    parts = new_task(STARTED), part(str(uuid.uuid4()), line("x")), new_task({"type": "nonsense"})

    first, again = reporter.send(*parts), reporter.again(*parts).json()

    assert again == first and [row["status"] for row in first["refused"]] == [422, 422]


def test_of_repeats_at_once_one_is_stored_and_all_are_answered_the_same(user: User) -> None:
    reporter = Reporter(user)
    task_id = reporter.started()
    for n in range(5):
        reporter.batch += 1
        events = part(task_id, *(line(f"{n}.{k}") for k in range(20)))
        with ThreadPoolExecutor(6) as pool:
            answers = [r.json() for r in pool.map(lambda _, e=events: reporter.again(e), range(6))]  # type: ignore[misc]
        assert all(answer == answers[0] for answer in answers)

    stored = [e["data"]["message"] for e in user.events(task_id) if e["type"] == "log"]
    assert stored == [f"{n}.{k}" for n in range(5) for k in range(20)]


def test_other_content_under_a_number_is_refused_and_the_answer_says_how_to_go_on(user: User) -> None:
    reporter = Reporter(user)
    task_id = reporter.started()
    reporter.accepted(part(task_id, line("two")))
    wrong = {"next": reporter.batch + 2, "last": reporter.batch - 1, "first": 1}

    other = reporter.again(part(task_id, line("something else")))
    unknown = Reporter(user).post(part(task_id, line("x")), batch=7)
    answers = [reporter.again(part(task_id, line("x")), batch=number) for number in wrong.values()]

    assert (other.status_code, other.json()["next_batch"]) == (409, 3)
    assert (unknown.status_code, unknown.json()["next_batch"]) == (409, 1)
    assert [(a.status_code, a.json()["next_batch"]) for a in answers] == [(409, 3)] * 3
    assert other.headers["Content-Type"] == "application/problem+json"
    assert len(user.events(task_id)) == 4


def test_nobody_counts_with_the_writer_of_another(user: User, other: User) -> None:
    mine, theirs = Reporter(user), Reporter(other)
    theirs.writer = mine.writer
    mine.send()

    assert theirs.send()["next_batch"] == 2
    assert mine.send()["next_batch"] == 3


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"type": "log"}, "message"),
        ({"type": "agent_started"}, "type"),
        ({"type": ["log"]}, "type"),
        ({}, "type"),
        (phase("read", "begun"), "status"),
        (status("WAITING"), "status"),
        (line("x", timestamp="0001-01-01T00:00:00+10:00"), "timestamp"),
        (PENDING, "status"),
    ],
)
def test_an_invalid_event_refuses_its_task_alone_by_its_name(user: User, event: Any, field: str) -> None:
    good, bad = new_task(STARTED), new_task(STARTED, line("x"), line("x"), event)

    answer = Reporter(user).send(bad, good)

    assert [row["task_id"] for row in answer["tasks"]] == [good["task_id"]]
    (refused,) = answer["refused"]
    assert (refused["task_id"], refused["status"]) == (bad["task_id"], 422)
    assert refused["errors"].keys() == {f"events.3.{field}"}
    assert user.client.get(f"/api/v2/tasks/{bad['task_id']}/status").status_code == 404


@pytest.mark.parametrize(
    ("more", "field"),
    [
        *(({"lease_seconds": n}, "lease_seconds") for n in (-1, 1, 4, 86_401, 7.5)),
        ({"job_type": ""}, "job_type"),
        ({"task_id": ""}, "task_id"),
        ({"task_id": "x" * 156}, "task_id"),
        ({"parent_id": 7}, "parent_id"),
        ({"params": "x"}, "params"),
        ({"created_at": "9999-12-31T23:59:59-10:00"}, "created_at"),
        ({"events": {}}, "events"),
        ({"events": [DONE, line("after the end")]}, "events.0.status"),
        ({"events": [status("RETRY"), line("after the end")]}, "events.0.status"),
    ],
)
def test_an_invalid_task_is_refused_alone_by_its_name(user: User, more: Any, field: str) -> None:
    answer = Reporter(user).send(new_task(STARTED, **more), new_task(STARTED))

    assert len(answer["tasks"]) == 1
    assert [row["errors"].keys() for row in answer["refused"]] == [{field}]


def test_what_is_no_task_at_all_is_refused_without_a_name(user: User) -> None:
    answer = Reporter(user).send(7, {"task_id": ["x"]}, new_task(STARTED))  # type: ignore[arg-type]

    assert [(row["task_id"], row["status"]) for row in answer["refused"]] == [(None, 422)] * 2
    assert len(answer["tasks"]) == 1


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"writer": ""}, "writer"),
        ({"writer": "x" * 129}, "writer"),
        ({"batch": 0}, "batch"),
        ({"batch": "1"}, "batch"),
        ({"batch": 2**53 + 1}, "batch"),
        ({"tasks": {}}, "tasks"),
        ({"tasks": [{}] * 51}, "tasks"),
        ({"more": 1}, "more"),
        ({"workers": [{}]}, "workers.0.name"),
        ({"workers": [{"name": "w", "slots": -1}]}, "workers.0.slots"),
        ({"workers": [{"name": "w"}] * 201}, "workers"),
        ({"queues": [{"name": "q", "depth": "x"}]}, "queues.0.depth"),
    ],
)
def test_an_invalid_envelope_is_a_problem_that_names_the_field(user: User, more: Any, field: str) -> None:
    reporter = Reporter(user)

    refused = problem(reporter.post(new_task(STARTED), **more), 422, field)

    assert set(refused["errors"]) == {field}
    assert user.get("tasks")["tasks"] == []
    assert reporter.again(new_task(STARTED)).status_code == 202, "no number is used up"


def test_a_batch_has_2000_events_of_all_its_tasks(user: User) -> None:
    tasks = [new_task(STARTED, *(line(f"{n}") for n in range(99))) for _ in range(20)]
    reporter = Reporter(user)

    problem(reporter.post(*tasks, new_task(STARTED)), 422, "tasks")
    reporter.batch -= 1
    rows = reporter.accepted(*tasks)

    assert [row["sequence"] for row in rows] == [102] * 20


def test_many_processes_that_report_tasks_of_one_tree_do_not_wait_for_each_other(user: User) -> None:
    group = str(uuid.uuid4())

    def report(_: int) -> None:
        reporter = Reporter(user)
        mails = [new_task(STARTED, line("x"), group_id=group) for _ in range(5)]
        for events in ([], [line("y")], [DONE]):
            tasks = mails if not events else [part(mail["task_id"], *events) for mail in mails]
            reporter.accepted(*tasks, queues=[{"name": "slow", "depth": 1}])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(report, range(16)))

    assert user.get("tasks/counts")["counts"]["SUCCESS"] == 80
    node = user.status(group)["task"]
    assert (node["job_type"], node["status"]) == ("group", "STARTED")


def test_two_that_make_the_same_task_at_once_make_one(user: User) -> None:
    for _ in range(5):
        shared = [str(uuid.uuid4()) for _ in range(10)]

        def report(n: int, ids: list[str] = shared) -> None:
            named = ids if n % 2 else list(reversed(ids))
            Reporter(user).accepted(*(new_task(PENDING, task_id=id, attempt=None) for id in named))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(report, range(4)))

        for task_id in shared:
            assert [e["type"] for e in user.events(task_id)] == ["task_status"]


def test_the_first_answer_for_a_task_has_its_page_also_when_a_child_was_heard_before(
    system: System, user: User
) -> None:
    reporter, parent, both = Reporter(user), new_task(STARTED), new_task(STARTED)
    reporter.accepted(new_task(STARTED, parent_id=parent["task_id"]))

    (later,) = reporter.accepted(parent)
    (again,) = reporter.accepted(part(parent["task_id"], line("x")))
    _, at_once = reporter.accepted(new_task(STARTED, parent_id=both["task_id"]), both)

    assert later["url"] == f"{system.url}/runs/{parent['task_id']}"
    assert at_once["url"] == f"{system.url}/runs/{both['task_id']}"
    assert "url" not in again
