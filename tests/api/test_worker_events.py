"""A worker that is no Celery worker: it claims, reports and ends over REST, and a repeat changes nothing."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest
from redis import Redis

from app.db.persistent import PersistentConnection
from app.projections import project
from app.stream.event import draft, now
from app.stream.store import append
from tests.api.answers import problem
from tests.api.external import DONE, STARTED, Worker, accepted, line
from tests.realtime.conftest import Open, watch  # noqa: F401 - a fixture
from tests.support.system import ROOT, System, User, wait_for


@pytest.fixture
def member(system: System) -> Iterator[tuple[User, User]]:
    """An operator and a worker of a tenant, in which nothing has run before: progress is learnt from earlier runs."""
    tenant = uuid.uuid4().hex
    with (
        closing((user := system.user(tenant=tenant)).client),
        closing((service := system.user("worker", tenant=tenant)).client),
    ):
        yield user, service


def test_it_claims_reports_and_ends_as_a_celery_worker_does(member: tuple[User, User]) -> None:
    user, service = member
    waiting = user.start("test_outside", text="three pages")
    worker = Worker(service, waiting)

    claimed = accepted(worker.send(STARTED, line("begun", level="WARNING", component="fetcher")))
    phase = {"phase_id": "fetch", "processed_count": 1, "total_count": 2}
    reported = accepted(
        worker.send(
            {"type": "phase_update", "status": "active", "message": "Fetching", **phase},
            {"type": "phase_complete", "duration_seconds": 0.5, **phase},
            {"type": "phase_update", "status": "active", "phase_id": "write", "total_count": 2},
        )
    )
    ended = accepted(worker.send(line("last"), DONE))

    assert claimed["claim"] == {
        "job_type": "test_outside",
        "params": {"text": "three pages"},
        "retry_count": 0,
        "approved": [],
    }
    events = user.events(waiting)
    assert [e["sequence"] for e in events] == list(range(1, len(events) + 1))
    types = {e["sequence"]: e["type"] for e in events}
    sequences = [*claimed["sequences"], *reported["sequences"], *ended["sequences"]]
    assert [types[s] for s in sequences] == [
        *("task_status", "log", "phase_update", "phase_complete", "phase_update", "log", "task_status")
    ]
    assert [types[s] for s in sorted(types.keys() - set(sequences))] == [
        *("task_status", "agent_started", "phase_update", "agent_completed")
    ]
    progress = [e["data"].get("progress") for e in events if e["type"].startswith("phase")]
    assert progress == [12.5, 25.0, 25.0, None], "by the weights that the job declares"
    snapshot = user.status(waiting)
    task = snapshot["task"]
    assert (task["status"], task["result"], task["attempt"], task["worker"]) == (
        *("SUCCESS", {"pages": 3}, 1),
        service.email,
    )
    assert [(p["phase_id"], p["status"]) for p in snapshot["phases"]] == [
        ("fetch", "completed"),
        ("write", "completed"),
    ]
    notices = [n["notification_type"] for n in user.get("notifications")["notifications"]]
    assert notices == ["generation_complete"]


def test_attempts_are_fenced_and_what_is_refused_uses_up_no_number(user: User, worker: Worker) -> None:
    problem(worker.send(line("too new"), attempt=2), 409)
    problem(worker.again(STARTED, attempt=2), 409)
    problem(worker.again({"type": "log"}), 422, "events.0.message")

    assert accepted(worker.again(line("good")))["sequences"]
    accepted(worker.send(DONE))
    problem(worker.send(line("late")), 409)
    problem(worker.again(STARTED), 409)


def test_an_attempt_that_was_given_up_says_nothing_more(system: System, user: User, worker: Worker) -> None:
    stream = f"task:{worker.task_id}"
    system.sql("UPDATE streams SET attempt = 2 WHERE name = %s", stream)
    system.sql("UPDATE leases SET attempt = 2 WHERE task_id = %s", worker.task_id)

    problem(worker.send(line("of the older one")), 409)

    messages = [e["data"].get("message") for e in user.events(worker.task_id)]
    assert "of the older one" not in messages


def test_a_task_that_waits_takes_no_report_without_a_claim(user: User, service: User, waiting: str) -> None:
    worker = Worker(service, waiting)

    problem(worker.send(line("x")), 409)
    problem(worker.again(STARTED, attempt=2), 409)

    assert user.status(waiting)["task"]["status"] == "PENDING"


def test_a_task_that_no_celery_worker_takes_leaves_no_message(
    system: System, user: User, service: User, waiting: str
) -> None:
    worker = Worker(service, waiting)
    accepted(worker.send(STARTED))
    accepted(worker.send({"type": "task_status", "status": "FAILURE"}))

    again = user.client.post(f"/api/v2/tasks/{waiting}/retry")

    assert again.status_code == 202
    with Redis.from_url(system.redis_url) as redis:
        assert redis.llen("elsewhere") == 0
    assert user.status(again.json()["task_id"])["task"]["status"] == "PENDING", "and can be claimed"


def test_of_two_workers_one_has_the_attempt(system: System, user: User, worker: Worker) -> None:
    other = system.user("worker")

    problem(Worker(other, worker.task_id).send(STARTED), 409)
    problem(Worker(other, worker.task_id).send(DONE), 409)

    assert user.status(worker.task_id)["task"]["worker"] == worker.user.email
    other.client.close()


def test_of_two_processes_of_one_account_one_has_the_attempt(
    system: System, user: User, service: User, worker: Worker
) -> None:
    second = Worker(service, worker.task_id)

    for events in ([STARTED], [line("x")], [DONE], []):
        second.batch = 0
        refused = problem(second.send(*events), 409)
        assert refused["detail"] == "Attempt 1 runs at another worker"

    assert accepted(worker.send(line("still mine")))["sequences"]
    accepted(worker.send(DONE))
    messages = [e["data"]["message"] for e in user.events(worker.task_id) if e["type"] == "log"]
    assert messages == ["still mine"]


def test_who_claims_the_next_attempt_holds_it(
    system: System, user: User, service: User, worker: Worker
) -> None:
    stream = f"task:{worker.task_id}"
    fields = {"timestamp": now(), "status": "RETRY", "is_running": False, "retry_count": 1}
    with (
        closing(PersistentConnection(system.database_url)) as connect,
        connect() as connection,
        connection.cursor() as cur,
    ):
        append(cur, [draft(stream, "task_status", fields, attempt=1)], project)
    second = Worker(service, worker.task_id, attempt=2)

    assert "claim" in accepted(second.send(STARTED))
    problem(worker.send(line("x"), attempt=2), 409)
    accepted(second.send(DONE))


def test_nobody_reports_for_what_a_celery_worker_runs(user: User, service: User) -> None:
    task_id = user.start("test_endless")
    wait_for("it to run", lambda: user.status(task_id)["task"]["status"] == "STARTED")

    problem(Worker(service, task_id).send(DONE), 409)

    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    assert user.finished(task_id)["task"]["status"] == "REVOKED"


def test_nobody_reports_for_a_task_that_its_steps_go_on_for(user: User, service: User) -> None:
    parent = user.start("orchestrate", steps=[{"job_type": "test_endless"}])
    wait_for("the step", lambda: user.get("tasks", parent_id=parent)["tasks"])

    problem(Worker(service, parent).send(DONE), 409)

    user.client.post(f"/api/v2/tasks/{parent}/cancel")
    assert user.finished(parent)["task"]["status"] == "REVOKED"


def test_each_report_renews_the_lease(system: System, worker: Worker) -> None:
    # So many that no rounds that come meanwhile make them none.
    system.sql("UPDATE leases SET missed = -1000 WHERE task_id = %s", worker.task_id)

    accepted(worker.send())

    assert system.sql("SELECT missed >= 0 FROM leases WHERE task_id = %s", worker.task_id) == [(True,)]


def test_viewers_see_the_events_as_they_come(user: User, worker: Worker, watch: Open) -> None:  # noqa: F811
    viewer = watch(user, worker.task_id, 0)
    viewer.wait_events(3)

    accepted(worker.send(line("seen"), {"type": "phase_update", "phase_id": "fetch", "status": "active"}))
    viewer.wait_events(5)
    accepted(worker.send(DONE))

    wait_for("the end", lambda: viewer.ended)
    assert viewer.sequences == list(range(1, user.status(worker.task_id)["sequence"] + 1))
    assert viewer.events[3]["message"] == "seen"
    assert viewer.events[-1]["status"] == "SUCCESS"


def test_a_cancel_is_told_with_the_next_answer_and_with_a_repeat(user: User, worker: Worker) -> None:
    before = accepted(worker.send(line("working")))
    assert user.client.post(f"/api/v2/tasks/{worker.task_id}/cancel").status_code == 202

    repeat = accepted(worker.again(line("working")))
    empty = accepted(worker.send())
    accepted(worker.send({"type": "task_status", "status": "REVOKED"}))

    assert [a["cancel_requested"] for a in (before, repeat, empty)] == [False, True, True]
    assert repeat["sequences"] == before["sequences"] and empty["sequences"] == []
    task = user.status(worker.task_id)["task"]
    assert (task["status"], task["error"]["type"]) == ("REVOKED", "Cancelled")


def test_texts_are_cut_and_cleaned_as_in_a_celery_worker(user: User, worker: Worker) -> None:
    accepted(
        worker.send(
            line("x" * 20_000, timestamp="2026-01-02T03:04:05+01:00"),
            line("nul \0 here\r\nid: 9\n\ndata: forged"),
            {"type": "task_status", "status": "STARTED", "progress": 42.25, "current_phase_message": "m"},
        )
    )

    *_, cut, dirty, status = (e["data"] for e in user.events(worker.task_id))
    assert cut["message"].endswith("… [cut: 20,000 characters in all]")
    assert cut["timestamp"] == "2026-01-02T02:04:05.000000Z"
    assert dirty["message"] == "nul \ufffd here\r\nid: 9\n\ndata: forged"
    assert (status["progress"], status["current_phase_message"], status["is_running"]) == (42.2, "m", True)


def test_progress_by_hand_never_goes_back_nor_to_the_end(user: User, worker: Worker) -> None:
    accepted(worker.send(*(STARTED | {"progress": percent} for percent in (40, 30, 100, 99.5))))

    progress = [
        e["data"]["progress"] for e in user.events(worker.task_id) if e["data"].get("status") == "STARTED"
    ]
    task = user.status(worker.task_id)["task"]
    assert progress[-4:] == [40, 40, 99.9, 99.9]
    assert (task["progress"], task["is_running"]) == (99.9, True)


def test_a_worker_reports_for_its_own_tenant_alone(system: System, waiting: str) -> None:
    here = uuid.uuid4().hex
    mine, stranger = system.user("worker", here), system.user("worker", uuid.uuid4().hex)
    owner, viewer = system.user("operator", here), system.user("viewer", here)
    task_id = owner.start("test_outside")

    accepted(Worker(mine, task_id).send(STARTED))
    problem(Worker(stranger, task_id).send(line("x")), 404)
    problem(Worker(mine, waiting).send(STARTED), 404)
    problem(Worker(mine, str(uuid.uuid4())).send(STARTED), 404)
    for who in (owner, viewer):
        problem(Worker(who, task_id).send(line("x")), 403)

    for account in (mine, stranger, owner, viewer):
        account.client.close()


def test_the_lines_in_the_docs_run_a_task(system: System, user: User, service: User, waiting: str) -> None:
    page = (ROOT / "docs" / "jobs.md").read_text()
    (lines,) = re.findall(r"```sh\n(report.*?)```", page, re.DOTALL)
    names = {"TASKROOM": system.url, "TASK": waiting, "TOKEN": service.token}

    done = subprocess.run(
        ["bash", "-ec", lines], env={**os.environ, **names}, capture_output=True, check=True
    )

    assert done.stdout.count(b"sequences") == 3
    assert user.status(waiting)["task"]["result"] == {"pages": 2}
