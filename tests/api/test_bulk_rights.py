"""With whose rights many runs are cancelled and retried: those that the caller has at each of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.api.answers import problem
from tests.api.cli import account
from tests.support.bulk import BULK, ask, done, lines, locked, outcomes, statuses, waiting
from tests.support.keys import holder
from tests.support.system import System, User, wait_for

KEY = {"Idempotency-Key": "the same"}


@pytest.fixture
def people(system: System) -> Iterator[dict[str, User]]:
    here = uuid.uuid4().hex
    with ExitStack() as stack:
        made = {role: system.user(role, here) for role in ("viewer", "operator", "admin")}
        made["owner"], made["stranger"] = system.user("operator", here), system.user("operator")
        for person in made.values():
            stack.enter_context(closing(person.client))
        yield made


def test_somebody_elses_runs_are_refused_as_if_they_were_none(user: User, other: User) -> None:
    theirs = waiting(other)

    result = done(user, "cancel", ids=theirs)

    assert result["tasks"] == [{"task_id": theirs[0], "outcome": "refused", "about": "There is no such task"}]
    assert statuses(other, theirs) == ["PENDING"]
    assert (
        theirs[0] in lines(user, result["bulk"])[0] and "test_outside" not in lines(user, result["bulk"])[0]
    )


def test_an_operator_acts_on_the_runs_of_its_tenant_and_a_viewer_on_none(people: dict[str, User]) -> None:
    ids = waiting(people["owner"], 2)

    problem(people["viewer"].client.post(BULK, json={"action": "cancel", "ids": ids}), 403)
    problem(
        people["stranger"].client.post(BULK, json={"action": "cancel", "filter": {"scope": "tenant"}}), 403
    )
    result = done(people["operator"], "cancel", filter={"scope": "tenant", "status": "PENDING"})

    assert outcomes(result) == dict.fromkeys(ids, "cancelled")
    assert people["owner"].status(ids[0])["task"]["error"]["message"] == (
        f"Cancelled by {people['operator'].email}"
    )


def test_each_owner_has_one_notification_of_all_runs_that_somebody_else_cancels(
    system: System, people: dict[str, User]
) -> None:
    operator, owner, admin = people["operator"], people["owner"], people["admin"]
    theirs, ids, own = waiting(admin, 2), waiting(owner, 3), waiting(operator, 2)

    bulk = done(operator, "cancel", ids=[*theirs, *ids, *own])["bulk"]

    for person, number in ((owner, 3), (admin, 2)):
        page = person.get("notifications")
        (told,) = page["notifications"]
        assert (told["title"], told["related_id"]) == (
            f"{operator.email} cancelled {number} of your runs",
            bulk,
        )
        assert (told["action_url"], told["read"], page["unread_count"]) == ("/?status=REVOKED", False, 1)
    titles = [told["title"] for told in operator.get("notifications")["notifications"]]
    assert titles == ["Cancel 7 chosen runs has finished"], "nobody is told what they did themselves"


def test_a_bulk_action_that_is_cancelled_midway_has_told_how_many_it_cancelled(
    system: System, people: dict[str, User]
) -> None:
    operator, owner = people["operator"], people["owner"]
    ids = waiting(owner, 3)
    with locked(system, ids[1]):
        bulk = ask(operator, "cancel", ids=ids)
        wait_for("the first to be cancelled", lambda: statuses(owner, ids)[0] == "REVOKED")
        assert operator.client.post(f"/api/v2/tasks/{bulk}/cancel").status_code == 202
    operator.finished(bulk)

    cancelled = statuses(owner, ids).count("REVOKED")
    (told,) = owner.get("notifications")["notifications"]
    assert told["title"] == f"{operator.email} cancelled {cancelled} of your runs"


def test_a_key_needs_the_scope_act_when_it_asks(user: User) -> None:
    ids = waiting(user)
    with holder(user, "read", "start") as weak, holder(user, "read", "act") as strong:
        problem(weak.client.post(BULK, json={"action": "cancel", "ids": ids}), 403)
        problem(weak.client.post("/api/v2/agent/start", json={"job_type": "bulk_action"}), 422, "job_type")

        assert outcomes(done(strong, "cancel", ids=ids)) == {ids[0]: "cancelled"}


def test_who_loses_its_right_meanwhile_is_refused_the_rest(system: System, people: dict[str, User]) -> None:
    owner, operator = people["owner"], people["operator"]
    ids = waiting(owner, 4)
    with locked(system, ids[1]):
        task_id = ask(operator, "cancel", ids=ids)
        wait_for("the first", lambda: statuses(owner, ids[:1]) == ["REVOKED"])
        system.sql("UPDATE users SET role = 'viewer' WHERE id = %s", operator.id)

    result = owner.finished(task_id)["task"]["result"]

    assert result["refused"] >= 2
    assert result["tasks"][-3]["about"] == "A viewer may not change anything"
    assert statuses(owner, ids[2:]) == ["PENDING", "PENDING"]


def test_a_key_that_is_revoked_meanwhile_does_no_more(system: System, user: User) -> None:
    ids = waiting(user, 4)
    with holder(user, "read", "act") as key, locked(system, ids[1]):
        task_id = ask(key, "cancel", ids=ids)
        wait_for("the first", lambda: statuses(user, ids[:1]) == ["REVOKED"])
        assert user.client.delete(f"/api/v2/keys/{key.key_id}").status_code == 204

    result = user.finished(task_id)["task"]["result"]

    about = {each["task_id"]: each["about"] for each in result["tasks"]}
    assert about[ids[3]] == "The API key that asked for this was revoked or has expired"
    assert statuses(user, ids[2:]) == ["PENDING", "PENDING"]


def test_an_account_that_is_closed_meanwhile_does_no_more(system: System, people: dict[str, User]) -> None:
    owner, operator = people["owner"], people["operator"]
    ids = waiting(owner, 4)
    with locked(system, ids[1]):
        task_id = ask(operator, "cancel", ids=ids)
        wait_for("the first", lambda: statuses(owner, ids[:1]) == ["REVOKED"])
        assert account(system, operator.email, "--close", password="") == ""

    result = owner.finished(task_id)["task"]["result"]

    about = {each["task_id"]: each["about"] for each in result["tasks"]}
    assert about[ids[3]] == "The account that asked for this was closed"
    assert statuses(owner, ids[2:]) == ["PENDING", "PENDING"]


def test_it_goes_on_after_a_sign_out_and_with_another_password(
    system: System, people: dict[str, User]
) -> None:
    owner, operator = people["owner"], people["operator"]
    ids = waiting(owner, 3)
    with locked(system, ids[1]):
        task_id = ask(operator, "cancel", ids=ids)
        wait_for("the first", lambda: statuses(owner, ids[:1]) == ["REVOKED"])
        assert operator.client.post("/api/v2/auth/logout").status_code == 204
        arguments = "--role", "operator", "--tenant", str(tenant_of(system, operator))
        assert account(system, operator.email, *arguments, password="another battery") == ""

    result = owner.finished(task_id)["task"]["result"]

    assert outcomes(result) == dict.fromkeys(ids, "cancelled")


def tenant_of(system: System, user: User) -> str:
    return str(system.sql("SELECT tenant FROM users WHERE id = %s", user.id)[0][0])


def test_nothing_else_starts_one(user: User) -> None:
    result = done(user, "cancel", ids=waiting(user))
    step = {"job_type": "bulk_action", "params": {"action": "cancel"}}

    again = user.client.post(f"/api/v2/tasks/{result['bulk']}/retry")
    whole = user.finished(user.start("orchestrate", steps=[step]))["task"]

    assert "not started again" in problem(again, 409)["detail"]
    assert whole["status"] == "FAILURE" and "POST tasks/bulk" in whole["error"]["message"]
    assert "bulk_action" not in {each["job_type"] for each in user.get("jobs/types")["job_types"]}
