"""Observed tasks are made when they are first heard of, and known from then on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.reporters import DONE, PENDING, STARTED, Reporter, line, new_task, part, phase, status
from tests.support.system import System, User

LONG_AGO = "2026-01-02T03:04:05.250000Z"
FAR = "2999-01-01T00:00:00Z"


@pytest.fixture
def acme(system: System) -> Iterator[dict[str, User]]:
    """Accounts of a tenant, and one of another."""
    here = uuid.uuid4().hex
    with ExitStack() as stack:
        people = {role: system.user(role, here) for role in ("operator", "worker", "viewer", "admin")}
        people["stranger"] = system.user("operator", uuid.uuid4().hex)
        for person in people.values():
            stack.enter_context(closing(person.client))
        yield people


def test_a_task_is_made_runs_and_ends_in_one_batch(system: System, user: User) -> None:
    reporter, mail = (
        Reporter(user),
        new_task(STARTED, line("sent 1"), line("sent 2"), DONE, worker="w1@shop/7"),
    )

    answer = reporter.send(mail)

    task_id = mail["task_id"]
    assert answer == {
        "tasks": [{"task_id": task_id, "sequence": 7, "url": f"{system.url}/runs/{task_id}"}],
        "refused": [],
        "cancel": [],
        "resend": [],
        "next_batch": 2,
    }
    task = user.status(task_id)["task"]
    assert (task["job_type"], task["title"], task["status"], task["result"]) == (
        *("shop.mail", "shop.mail", "SUCCESS", {"sent": 3}),
    )
    assert (task["attempt"], task["worker"], task["trigger"]) == (1, "w1@shop/7", "manual")
    assert (task["observed"], task["can_retry"], task["params"]) == (True, False, {})
    assert [e["type"] for e in user.events(task_id)] == [
        *("task_status", "task_status", "agent_started", "log", "log", "agent_completed", "task_status")
    ]


def test_it_stands_beside_ours_in_every_list(system: System, user: User) -> None:
    reporter = Reporter(user)
    done, running = new_task(STARTED, DONE, title="Mail of today"), new_task(STARTED, job_type="shop.pay")
    ours = user.start("test_echo")
    user.finished(ours)

    reporter.accepted(done, running)

    listed = user.get("tasks")["tasks"]
    assert {task["task_id"]: task["observed"] for task in listed} == {
        ours: False,
        done["task_id"]: True,
        running["task_id"]: True,
    }
    assert [t["task_id"] for t in user.get("tasks", job_type="shop.pay")["tasks"]] == [running["task_id"]]
    assert [t["task_id"] for t in user.get("tasks", q="of today")["tasks"]] == [done["task_id"]]
    assert user.get("tasks/types")["job_types"] == ["shop.mail", "shop.pay", "test_echo"]
    (row,) = user.get("jobs/history", job_type="shop.mail")["jobs"]
    assert (row["task_id"], row["trigger"], row["status"]) == (done["task_id"], "manual", "SUCCESS")
    counts = user.get("tasks/counts")["counts"]
    assert (counts["SUCCESS"], counts["STARTED"]) == (2, 1)
    assert user.get("agent/active")["active"]["task"]["task_id"] == running["task_id"]
    notices = user.get("notifications")["notifications"]
    assert {n["related_id"] for n in notices} == {ours}, "observed tasks are told of when they fail"


def test_nothing_of_it_is_queued_or_sent_to_a_broker(system: System, user: User) -> None:
    waiting, running = new_task(PENDING, attempt=None), new_task(STARTED)

    Reporter(user).accepted(waiting, running)

    ids = [waiting["task_id"], running["task_id"]]
    assert system.sql("SELECT 1 FROM dispatches WHERE task_id = ANY(%s::uuid[])", ids) == []
    assert user.status(waiting["task_id"])["task"]["status"] == "PENDING"
    assert system.sql("SELECT task_id::text FROM leases WHERE task_id = ANY(%s::uuid[])", ids) == [
        (running["task_id"],)
    ]
    assert "shop.mail" not in {t["job_type"] for t in user.get("jobs/types")["job_types"]}


def test_an_unknown_task_without_a_job_type_is_refused_and_later_it_may_be_left_out(user: User) -> None:
    reporter, mail = Reporter(user), new_task(STARTED)

    early = reporter.send(part(mail["task_id"], line("too early")))
    reporter.accepted(mail)
    (row,) = reporter.accepted(part(mail["task_id"], line("known now")))

    assert early["tasks"] == []
    assert early["refused"] == [
        {
            "task_id": mail["task_id"],
            "status": 422,
            "title": "Unprocessable Content",
            "errors": {"job_type": ["Missing: nothing was heard of the task before."]},
        }
    ]
    assert row == {"task_id": mail["task_id"], "sequence": 4}
    assert user.status(mail["task_id"])["task"]["job_type"] == "shop.mail"


def test_a_later_mention_adds_what_was_not_said_and_changes_nothing_else(user: User) -> None:
    reporter, mail = Reporter(user), new_task(STARTED)
    reporter.accepted(mail)
    said: dict[str, Any] = {"title": "Mail", "params": {"to": "ann"}, "queue": "slow", "can_retry": True}

    reporter.accepted(part(mail["task_id"], **said))
    once = user.status(mail["task_id"])
    reporter.accepted(part(mail["task_id"], job_type="other", **said))
    reporter.accepted(part(mail["task_id"], title="Another", params={"to": "bob"}, queue="quick"))

    assert {name: once["task"][name] for name in said} == said
    assert user.status(mail["task_id"]) == once, "and there is no event that says nothing"


def test_the_rows_stand_in_the_order_of_the_request_and_one_refused_task_fails_no_other(user: User) -> None:
    reporter = Reporter(user)
    good = [new_task(STARTED, title=f"{n}") for n in range(4)]
    bad = [new_task(phase("read", "begun")), part(str(uuid.uuid4()), line("unknown"))]

    answer = reporter.send(good[2], bad[0], good[0], bad[1], good[3], good[1])

    assert [row["task_id"] for row in answer["tasks"]] == [good[n]["task_id"] for n in (2, 0, 3, 1)]
    assert [(row["task_id"], row["status"]) for row in answer["refused"]] == [
        (bad[0]["task_id"], 422),
        (bad[1]["task_id"], 422),
    ]
    assert answer["refused"][0]["errors"].keys() == {"events.0.status"}
    assert len(user.get("tasks")["tasks"]) == 4


def test_an_id_that_is_no_uuid_is_the_senders_own(system: System, user: User, other: User) -> None:
    reporter, name = Reporter(user), f"backup of {uuid.uuid4()}"

    (row,) = reporter.accepted(new_task(STARTED, task_id=name))
    (again,) = reporter.accepted(part(name, line("more")))
    (foreign,) = Reporter(other).accepted(new_task(STARTED, task_id=name))

    assert row["task_id"] == again["task_id"] == str(uuid.uuid5(uuid.UUID(user.id), name))
    assert (row["id"], row["url"]) == (name, f"{system.url}/runs/{row['task_id']}")
    assert foreign["task_id"] != row["task_id"]
    assert user.status(row["task_id"])["task"]["status"] == "STARTED"


def test_a_uuid_in_capitals_is_the_same(user: User) -> None:
    mail = new_task(STARTED)

    (row,) = Reporter(user).accepted(mail | {"task_id": mail["task_id"].upper()})

    assert row["task_id"] == mail["task_id"]


def test_the_tasks_of_others_are_refused_as_if_they_did_not_exist(user: User, other: User) -> None:
    task_id = Reporter(user).started()
    ours = user.start("test_outside")

    answer = Reporter(other).send(part(task_id, line("x")), part(ours, line("x")))

    assert [(row["status"], row["title"]) for row in answer["refused"]] == [
        (404, "There is no such task")
    ] * 2
    (child,) = Reporter(other).send(new_task(STARTED, parent_id=task_id))["refused"]
    assert (child["status"], child["errors"].keys()) == (404, {"parent_id"})
    assert user.status(task_id)["sequence"] == 3


def test_a_task_of_our_workers_is_not_reported_here(user: User) -> None:
    ours = user.start("test_outside")

    (refused,) = Reporter(user).send(part(ours, line("x"), job_type="test_outside"))["refused"]

    assert (refused["status"], refused["title"]) == (409, "The workers of this installation run the task")


def test_an_observed_task_takes_no_events_at_the_address_of_our_own(service: User, system: System) -> None:
    task_id = Reporter(service).started()
    body = {"writer": "w", "batch": 1, "attempt": 1, "events": [line("x")]}

    problem(service.client.post(f"/api/v2/tasks/{task_id}/events", json=body), 409)


def test_all_of_a_tenant_may_report_its_tasks_but_a_viewer(acme: dict[str, User]) -> None:
    task_id = Reporter(acme["operator"]).started()

    Reporter(acme["worker"]).accepted(part(task_id, line("from another account")))

    (refused,) = Reporter(acme["stranger"]).send(part(task_id, line("x")))["refused"]
    assert refused["status"] == 404
    problem(Reporter(acme["viewer"]).post(part(task_id, line("x"))), 403)
    assert acme["viewer"].status(task_id)["sequence"] == 4, "but it may look"
    assert acme["admin"].get("tasks", scope="tenant")["tasks"][0]["task_id"] == task_id


def test_the_owner_is_who_is_named_within_the_tenant(system: System, acme: dict[str, User]) -> None:
    (subject,) = system.sql(
        """INSERT INTO users (email, role, tenant, issuer, subject, token_issued_at)
           SELECT 'eve', 'operator', tenant, 'https://id.example', %s, now() FROM users WHERE id = %s
           RETURNING id::text""",
        *(uuid.uuid4().hex, acme["operator"].id),
    )[0]
    (named,) = system.sql("SELECT subject FROM users WHERE id = %s", subject)[0]
    reporter = Reporter(acme["worker"])
    owners = {
        acme["operator"].email: acme["operator"].id,
        named: subject,
        acme["stranger"].email: acme["worker"].id,
        "nobody@example.org": acme["worker"].id,
    }
    parts = {name: new_task(STARTED, status("FAILURE"), owner=name) for name in owners}

    reporter.accepted(*parts.values())

    ids = [part["task_id"] for part in parts.values()]
    found = dict(system.sql("SELECT id::text, user_id::text FROM tasks WHERE id = ANY(%s::uuid[])", ids))
    assert {name: found[parts[name]["task_id"]] for name in owners} == owners
    mine = acme["operator"]
    assert [n["related_id"] for n in mine.get("notifications")["notifications"]] == [
        parts[mine.email]["task_id"]
    ]
    assert acme["stranger"].get("notifications")["notifications"] == []


def test_accounts_without_a_tenant_name_no_owner_but_a_global_admin_does(
    system: System, user: User, other: User
) -> None:
    with closing(system.user("global_admin").client) as client:
        admin = User("", "", "", client)
        mine, theirs = new_task(STARTED, owner=other.email), new_task(STARTED, owner=other.email)
        Reporter(user).accepted(mine)
        Reporter(admin).accepted(theirs)

    assert user.status(mine["task_id"])["task"]["user_id"] == user.id
    assert other.status(theirs["task_id"])["task"]["user_id"] == other.id


def test_the_time_of_the_creation_is_honoured_and_never_in_the_future(user: User) -> None:
    reporter = Reporter(user)
    given, of_event = new_task(created_at=LONG_AGO, attempt=None), new_task(STARTED | {"timestamp": LONG_AGO})
    future, naive = new_task(created_at=FAR), new_task(created_at="2026-01-02T03:04:05", attempt=None)

    reporter.accepted(given, of_event, future, naive)

    made = {task["task_id"]: task["created_at"] for task in user.get("tasks")["tasks"]}
    assert made[given["task_id"]] == made[of_event["task_id"]] == LONG_AGO
    assert made[naive["task_id"]] == "2026-01-02T03:04:05.000000Z"
    (now,) = {e["data"]["updated_at"] for e in user.events(future["task_id"])[:1]}
    assert made[future["task_id"]] == now < "2100"


def test_texts_are_cut_and_fit_into_one_line(user: User) -> None:
    mail = new_task(STARTED, job_type="j" * 300, title="a\nb\0c" + "t" * 300, worker="w" * 300, queue="q\n")

    Reporter(user).accepted(mail)

    task = user.status(mail["task_id"])["task"]
    assert (task["job_type"], task["worker"], task["queue"]) == ("j" * 155, "w" * 255, "q")
    assert task["title"].startswith("a b") and len(task["title"]) == 255 and task["title"].isprintable()
    assert [t["task_id"] for t in user.get("tasks", job_type="j" * 155)["tasks"]] == [mail["task_id"]]


def test_parameters_over_the_limit_are_replaced_by_their_size(user: User) -> None:
    reporter = Reporter(user)
    large, small = new_task(STARTED, params={"x": "y" * 70_000}), new_task(STARTED, params={"x": "a\0b"})
    wrong = new_task(STARTED, params=[1])

    answer = reporter.send(large, small, wrong)

    assert user.status(large["task_id"])["task"]["params"] == {"truncated": True, "bytes": 70_008}
    assert user.status(small["task_id"])["task"]["params"] == {"x": "a\ufffdb"}
    assert [row["errors"] for row in answer["refused"]] == [{"params": ["Not an object."]}]


def test_without_a_sign_in_nothing_is_taken(system: System) -> None:
    import httpx

    problem(httpx.post(f"{system.url}/api/v2/events", json={"writer": "w", "batch": 1}, timeout=60), 401)
