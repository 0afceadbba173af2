"""Shares of runs: a token that reads one run and its children, made and revoked by who may act on the run."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api import patient
from tests.api.answers import problem
from tests.api.cli import account
from tests.support.keys import KEYS, holder
from tests.support.shares import share, visitor
from tests.support.system import System, User, wait_for

TASKS, POLICY = "/api/v2/tasks", "Content-Security-Policy"
STEP = {"job_type": "test_echo", "params": {}}
NESTED = {"job_type": "orchestrate", "params": {"steps": [STEP]}}


@pytest.fixture
def task_id(user: User) -> str:
    task_id = user.start("test_echo")
    user.finished(task_id)
    return task_id


@pytest.fixture
def colleague(system: System) -> Iterator[Callable[[str], User]]:
    """Makes accounts of one tenant."""
    made, tenant = list[User](), uuid.uuid4().hex

    def make(role: str) -> User:
        made.append(system.user(role, tenant))
        return made[-1]

    yield make
    for user in made:
        user.client.close()


def shares_of(user: User, task_id: str) -> list[str]:
    return [row["id"] for row in user.get(f"tasks/{task_id}/shares")["shares"]]


def test_a_token_is_shown_once_and_kept_as_a_hash(system: System, user: User, task_id: str) -> None:
    made = share(user, task_id)

    token = made["token"]
    assert re.fullmatch(r"trs_[\w-]{43}", token)
    assert made["url"] == made["embed_url"] == f"{system.url}/embed/runs/{task_id}#token={token}"
    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert lasts.total_seconds() == 24 * 3_600
    row = {name: made[name] for name in ("id", "created_by", "created_at", "expires_at")}
    assert row["created_by"] == user.email
    assert user.get(f"tasks/{task_id}/shares") == {"shares": [row], "embed_origins": []}
    (kept,) = system.sql("SELECT shares.*::text FROM shares WHERE id = %s", made["id"])
    assert token not in kept[0]
    assert hashlib.sha256(token.encode()).hexdigest() in kept[0]


@pytest.mark.parametrize("seconds", [60, 2_592_000])
def test_the_shortest_and_the_longest_time(user: User, task_id: str, seconds: int) -> None:
    made = share(user, task_id, expires_in=seconds)

    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert lasts.total_seconds() == seconds


@pytest.mark.parametrize("seconds", [59, 2_592_001, "60", None, 1.5])
def test_another_time_is_refused(user: User, task_id: str, seconds: Any) -> None:
    answer = user.client.post(f"{TASKS}/{task_id}/share", json={"expires_in": seconds})

    problem(answer, 422, "expires_in")


def test_a_token_reads_its_run_and_what_is_below_at_any_depth(user: User) -> None:
    run, other = user.start("orchestrate", steps=[NESTED, STEP]), user.start("test_echo")
    user.finished(run, 180), user.finished(other)
    child, *_ = [row for row in user.get("tasks", parent_id=run)["tasks"] if row["job_type"] == "orchestrate"]
    (grandchild,) = user.get("tasks", parent_id=child["task_id"])["tasks"]

    with visitor(user, run) as visit:
        for within in (run, child["task_id"], grandchild["task_id"]):
            assert visit.status(within)["task"]["task_id"] == within
            assert visit.events(within) == user.events(within)
            for path in ("logs", "logs/download", "stream"):
                assert visit.client.get(f"{TASKS}/{within}/{path}").status_code == 200
        # A visitor may not know whose account it is.
        own = user.get("tasks", parent_id=run)
        unnamed = own | {"tasks": [row | {"owner": None} for row in own["tasks"]]}
        assert visit.get("tasks", parent_id=run) == unnamed
        assert visit.get("tasks", parent_id=child["task_id"])["tasks"] == [grandchild | {"owner": None}]
        for path in ("status", "events", "logs", "logs/download", "stream"):
            problem(visit.client.get(f"{TASKS}/{other}/{path}"), 404)
        problem(visit.client.get(TASKS, params={"parent_id": other}), 404)
    with visitor(user, child["task_id"]) as below:
        problem(below.client.get(f"{TASKS}/{run}/status"), 404)
        assert below.status(grandchild["task_id"])


def test_a_list_that_is_not_of_the_run_is_refused(user: User, task_id: str) -> None:
    with visitor(user, task_id) as visit:
        for query in ({}, {"scope": "tenant"}, {"status": "SUCCESS"}):
            detail = problem(visit.client.get(TASKS, params=query), 403)["detail"]
            assert detail == "A share token lists the children of its run only: name parent_id"
        for path in ("tasks/counts", "jobs/history", "jobs/types", "notifications", "agent/active", "keys"):
            detail = problem(visit.client.get(f"/api/v2/{path}"), 403)["detail"]
            assert detail == "A share token reads its run only"


def test_a_token_opens_nothing_but_as_a_bearer(system: System, user: User, task_id: str) -> None:
    token = share(user, task_id)["token"]
    status, stream = (f"{system.url}{TASKS}/{task_id}/{path}" for path in ("status", "stream"))

    for address in (status, stream):
        problem(patient.get(address, cookies={"access_token_cookie": token}), 401)
        problem(patient.get(address, cookies={"stream_token_cookie": token}), 401)
        for name in ("token", "ticket", "share"):
            answer = patient.get(address, params={name: token})
            assert answer.status_code in (401, 422)
            assert token not in answer.text
    wrong = {"Authorization": f"Bearer {token[:-1]}"}
    assert problem(patient.get(status, headers=wrong), 401)["detail"] == (
        "The share token is wrong, was revoked or has expired"
    )


def test_who_sees_and_revokes_which_shares(colleague: Callable[[str], User]) -> None:
    owner, operator, another, admin, viewer = map(
        colleague, ("operator", "operator", "operator", "admin", "viewer")
    )
    task_id = owner.start("test_echo")
    owner.finished(task_id)
    by_owner, by_operator = share(owner, task_id)["id"], share(operator, task_id)["id"]

    assert shares_of(owner, task_id) == shares_of(admin, task_id) == [by_operator, by_owner]
    assert shares_of(operator, task_id) == [by_operator]
    assert shares_of(another, task_id) == shares_of(viewer, task_id) == []
    for user, share_id, status in (
        (another, by_operator, 404),
        (viewer, by_owner, 404),
        (operator, by_owner, 404),
        (operator, by_operator, 204),
        (operator, by_operator, 404),
        (admin, by_owner, 204),
    ):
        assert user.client.delete(f"{TASKS}/{task_id}/shares/{share_id}").status_code == status
    assert shares_of(owner, task_id) == []


def test_a_share_is_revoked_at_its_own_run_only(user: User, task_id: str) -> None:
    other, made = user.start("test_echo"), share(user, task_id)

    problem(user.client.delete(f"{TASKS}/{other}/shares/{made['id']}"), 404)
    assert shares_of(user, task_id) == [made["id"]]


def test_a_run_has_twenty_live_shares_at_most(system: System, colleague: Callable[[str], User]) -> None:
    people = [colleague("operator") for _ in range(4)]
    owner, task_id = people[0], people[0].start("test_echo")
    fill = """INSERT INTO shares (task_id, user_id, hash, expires_at, revoked_at)
              SELECT %s, %s, gen_random_uuid()::text, now() + CASE WHEN n > 30 THEN '-1 s' ELSE '1 h' END::interval,
                     CASE WHEN n > 18 THEN now() END FROM generate_series(1, 40) AS n"""
    system.sql(fill, task_id, owner.id)
    first, path = share(owner, task_id), f"{TASKS}/{task_id}/share"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda user: user.client.post(path, json={}).status_code, people * 2))

    assert sorted(answers) == [201, *[409] * 7], "those that have ended do not count, nor do two at once pass"
    assert len(shares_of(owner, task_id)) == 20
    assert owner.client.delete(f"{TASKS}/{task_id}/shares/{first['id']}").status_code == 204
    share(people[1], task_id)


def test_a_user_has_two_hundred_live_shares_at_most(system: System, user: User, task_id: str) -> None:
    system.sql(
        """INSERT INTO shares (task_id, user_id, hash, expires_at)
           SELECT id, %s, gen_random_uuid()::text, now() + interval '1 hour'
           FROM (SELECT id FROM tasks WHERE id <> %s LIMIT 1) AS any_task, generate_series(1, 200)""",
        *(user.id, task_id),
    )

    answer = user.client.post(f"{TASKS}/{task_id}/share", json={})

    assert problem(answer, 409)["detail"] == "A user has at most 200 live shares; revoke one first"


def test_a_repeat_with_an_idempotency_key_makes_no_second_one(user: User, task_id: str) -> None:
    header, path = {"Idempotency-Key": uuid.uuid4().hex}, f"{TASKS}/{task_id}/share"

    made = user.client.post(path, json={}, headers=header)

    assert made.status_code == 201
    assert made.json()["id"] in problem(user.client.post(path, json={}, headers=header), 409)["detail"]
    assert shares_of(user, task_id) == [made.json()["id"]]


def test_a_share_that_a_key_made_ends_with_the_key(system: System, user: User, task_id: str) -> None:
    with holder(user, "read") as key:
        made = share(key, task_id)
    bearer = {"Authorization": f"Bearer {made['token']}"}
    address = f"{system.url}{TASKS}/{task_id}/status"
    assert patient.get(address, headers=bearer).status_code == 200

    assert user.client.delete(f"{KEYS}/{key.key_id}").status_code == 204

    wait_for("the refusal", lambda: patient.get(address, headers=bearer).status_code == 401)


ENDS: dict[str, Callable[[System, User], object]] = {
    "closed": lambda system, maker: account(system, maker.email, "--close"),
    "a viewer": lambda system, maker: system.sql("UPDATE users SET role = 'viewer' WHERE id = %s", maker.id),
    "of another tenant": lambda system, maker: system.sql(
        "UPDATE users SET tenant = 'elsewhere' WHERE id = %s", maker.id
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_share_is_of_use_while_its_maker_could_make_it(
    system: System, colleague: Callable[[str], User], end: str
) -> None:
    owner, maker = colleague("operator"), colleague("operator")
    task_id = owner.start("test_echo")
    owner.finished(task_id)
    with visitor(maker, task_id) as visit, visitor(owner, task_id) as other:
        assert visit.status(task_id)

        ENDS[end](system, maker)

        wait_for("the refusal", lambda: visit.client.get(f"{TASKS}/{task_id}/status").status_code == 401)
        assert other.status(task_id), "the owner's own goes on"


def test_a_share_is_named_by_its_id_where_it_is_made_used_for_too_much_and_revoked(
    system: System, user: User, task_id: str
) -> None:
    log = system.home / f"web-{urlsplit(system.url).port}.log"
    with visitor(user, task_id) as visit:
        visit.client.get(TASKS)
        user.client.delete(f"{TASKS}/{task_id}/shares/{visit.key_id}")

    who = f"share={visit.key_id} address=127.0.0.1"
    wait_for("the revocation", lambda: f"share_revoked user={user.id} {who} outcome=ok" in log.read_text())
    assert f"share_made user={user.id} {who} outcome=ok" in log.read_text()
    assert f"GET /api/v2/tasks user=- {who} outcome=forbidden" in log.read_text()


def test_a_page_lives_by_the_tokens_of_its_viewers(system: System, user: User, task_id: str) -> None:
    page = patient.get(f"{system.url}/embed/runs/{task_id}")

    assert page.status_code == 200 and "Set-Cookie" not in page.headers
    assert task_id not in page.text, "it is the same page for all"


@pytest.mark.parametrize(
    ("origins", "ancestors"),
    [("", "'none'"), ("https://one.example,http://localhost:81", "https://one.example http://localhost:81")],
)
def test_only_the_listed_sites_may_frame_the_page_and_none_another_one(
    system: System, user: User, origins: str, ancestors: str
) -> None:
    with system.web(EMBED_ORIGINS=origins) as url, closing(system.sign_in(user.email, url)) as client:
        task_id = uuid.uuid4()
        policies = {
            path: dict(part.strip().partition(" ")[::2] for part in answer.headers[POLICY].split(";"))
            for path in (f"/embed/runs/{task_id}", "/", f"/runs/{task_id}", "/embed/none")
            if (answer := client.get(path))
        }

    embed, *others = policies.values()
    assert embed["frame-ancestors"] == ancestors
    assert embed["form-action"] == "'none'" and embed["script-src"] == "'self'"
    assert {policy["frame-ancestors"] for policy in others} == {"'none'"}
