"""What works where: workers and queues of those who report, and our own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.api.answers import problem
from tests.api.reporters import Reporter
from tests.support.cursors import forged
from tests.support.system import System, User, wait_for


def mine(user: User, what: str) -> list[dict[str, Any]]:
    """What is not our own, page by page."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = user.get(what, limit=200)
    while True:
        found += page[what]
        if page["next"] is None:
            return [row for row in found if row["name"].startswith("shop")]
        page = user.get(what, limit=200, cursor=page["next"])


@pytest.fixture
def acme(system: System) -> Iterator[dict[str, User]]:
    here = uuid.uuid4().hex
    with ExitStack() as stack:
        people = {role: system.user(role, here) for role in ("operator", "worker", "viewer")}
        people["stranger"] = system.user("operator", uuid.uuid4().hex)
        people["global_admin"] = system.user("global_admin")
        for person in people.values():
            stack.enter_context(closing(person.client))
        yield people


def test_a_worker_is_listed_as_it_was_reported_last(user: User) -> None:
    reporter = Reporter(user)
    task_id = reporter.started()
    worker = {
        "name": "shop@one",
        "host": "one",
        "pid": 7,
        "pool": "prefork",
        "slots": 4,
        "queues": ["slow", "quick"],
        "memory_bytes": 1_000_000,
        "versions": {"celery": "5.4"},
    }
    reporter.send(workers=[worker | {"slots": 2}])

    reporter.send(workers=[worker | {"running": [task_id, str(uuid.uuid4())]}])

    (row,) = mine(user, "workers")
    assert row.pop("seen_at") > row.pop("since")
    (task,) = row.pop("tasks")
    assert (task["task_id"], task["started_at"]) == (task_id, user.status(task_id)["task"]["started_at"])
    assert row == worker | {
        "running": [task_id],
        "busy": 1,
        "lost": [],
        "drained": None,
        "own": False,
        "reporter": None,
        "beat_seconds": 10,
        "alive": True,
    }


def test_a_worker_runs_since_its_process_was_seen_first(system: System, user: User) -> None:
    def since(seconds: int, **worker: Any) -> str:
        """Of a worker that was silent for so long and then says so."""
        system.sql(
            "UPDATE worker_reports SET seen_at = now() - make_interval(secs => %s) WHERE user_id = %s",
            *(seconds, user.id),
        )
        Reporter(user).send(workers=[{"name": "shop@one"} | worker])
        (row,) = mine(user, "workers")
        return str(row["since"])

    first = since(0, pid=7)

    assert since(50, pid=7) == first
    assert (restarted := since(5, pid=8)) > first
    assert since(61, pid=8) > restarted


def test_a_worker_that_vanished_says_since_when_and_what_was_lost(
    system: System, user: User, other: User
) -> None:
    """The leases of its tasks have run out."""
    reporter = Reporter(user)
    lost = reporter.started(worker="shop@one/7")
    goes_on = reporter.started(worker="shop@two/7", lease_seconds=86_400)  # however slow the machine is
    reporter.send(
        workers=[
            {"name": "shop@one", "running": [lost]},
            {"name": "shop@two", "running": [goes_on], "beat_seconds": 3_600},
        ]
    )
    system.sql("UPDATE worker_reports SET seen_at = now() - interval '31 s' WHERE name = 'shop@one'")
    system.sql("UPDATE leases SET missed = rounds WHERE task_id = %s", lost)
    wait_for("it to be lost", lambda: user.status(lost)["task"]["status"] == "FAILURE")

    rows = {row["name"]: row for row in mine(user, "workers")}

    gone = rows["shop@one"]
    assert (gone["alive"], rows["shop@two"]["alive"]) == (False, True)
    assert [(row["task_id"], row["status"]) for row in gone["lost"]] == [(lost, "FAILURE")]
    assert gone["seen_at"] < gone["lost"][0]["lost_at"]
    assert rows["shop@two"]["lost"] == []
    assert mine(other, "workers") == []


def test_a_queue_has_its_depth_and_its_oldest_wait(user: User) -> None:
    reporter = Reporter(user)

    reporter.send(
        queues=[{"name": "shop.slow", "depth": 3, "oldest_wait_seconds": 1.5}, {"name": "shop", "depth": 0}]
    )

    rows = [
        (row["name"], row["depth"], row["oldest_wait_seconds"], row["alive"]) for row in mine(user, "queues")
    ]
    assert rows == [("shop", 0, None, True), ("shop.slow", 3, 1.5, True)]


@pytest.mark.parametrize("name", ["\0", "a\0b", "\ud800", 7, None, ["a"]])
def test_a_forged_cursor_is_refused(user: User, name: Any) -> None:
    for what in ("workers", "queues"):
        path, id = f"/api/v2/{what}", str(uuid.uuid4())
        problem(user.client.get(path, params={"cursor": forged(path, name, id)}), 422, "cursor")
        assert user.client.get(path, params={"cursor": forged(path, "a", id)}).status_code == 200


def test_it_is_seen_by_its_account_its_tenant_and_a_global_admin(user: User, acme: dict[str, User]) -> None:
    name = f"shop {uuid.uuid4()}"
    Reporter(acme["worker"]).send(workers=[{"name": name}], queues=[{"name": name, "depth": 1}])

    for what in ("workers", "queues"):
        seen = {who: name in {row["name"] for row in mine(person, what)} for who, person in acme.items()}
        assert seen == {
            "operator": True,
            "worker": True,
            "viewer": True,
            "stranger": False,
            "global_admin": True,
        }
        assert name not in {row["name"] for row in mine(user, what)}


def test_a_queue_names_who_takes_from_it(system: System, user: User, other: User) -> None:
    Reporter(other).send(workers=[{"name": "shop@foreign", "slots": 9, "queues": ["shop"]}])
    reporter = Reporter(user)
    task_id = reporter.started()
    reporter.send(
        queues=[{"name": name, "depth": 2} for name in ("shop", "shop.gone", "shop.nobody")],
        workers=[
            {"name": "shop@one", "slots": 4, "queues": ["shop", "slow"], "running": [task_id]},
            {"name": "shop@two", "slots": 2, "queues": ["shop"]},
            {"name": "shop@gone", "slots": 8, "queues": ["shop", "shop.gone"]},
        ],
    )
    system.sql("UPDATE worker_reports SET seen_at = now() - interval '31 s' WHERE name = 'shop@gone'")

    fields = ("own", "consumers", "slots", "busy", "workers", "no_worker_since", "paused")
    rows = {row["name"]: tuple(row[field] for field in fields) for row in mine(user, "queues")}
    gone = next(row["seen_at"] for row in mine(user, "workers") if row["name"] == "shop@gone")

    assert rows == {
        "shop": (False, 2, 6, 1, ["shop@one", "shop@two"], None, None),
        "shop.gone": (False, 0, 0, 0, [], gone, None),
        "shop.nobody": (False, 0, 0, 0, [], None, None),
    }


def test_the_same_name_of_two_reporters_is_two_workers(user: User, other: User) -> None:
    for who, slots in ((user, 1), (other, 2)):
        Reporter(who).send(workers=[{"name": "shop@same", "slots": slots}])

    assert [row["slots"] for who in (user, other) for row in mine(who, "workers")] == [1, 2]


def test_a_worker_runs_no_task_that_its_reporter_may_not_report(user: User, other: User) -> None:
    foreign = Reporter(other).started()

    answer = Reporter(user).send(workers=[{"name": "shop@one", "running": [foreign]}])

    assert answer["cancel"] == []
    assert [row["running"] for row in mine(user, "workers")] == [[]]


def test_who_is_silent_for_three_beats_and_for_thirty_seconds_is_not_alive(
    system: System, user: User
) -> None:
    beats = {"shop.1": 1, "shop.2": 10, "shop.3": 11, "shop.4": 60}
    Reporter(user).send(
        workers=[{"name": name, "beat_seconds": beat} for name, beat in beats.items()],
        queues=[{"name": name, "depth": 1, "beat_seconds": beat} for name, beat in beats.items()],
    )
    for table in ("worker_reports", "queue_reports"):
        system.sql(f"UPDATE {table} SET seen_at = now() - interval '31 s' WHERE user_id = %s", user.id)

    for what in ("workers", "queues"):
        assert [row["alive"] for row in mine(user, what)] == [False, False, True, True]


def test_the_lists_have_pages(user: User) -> None:
    names = [f"shop.{n:02}" for n in range(7)]
    Reporter(user).send(
        workers=[{"name": name} for name in names], queues=[{"name": name, "depth": 1} for name in names]
    )

    for what in ("workers", "queues"):
        found: list[str] = []
        cursor: dict[str, Any] = {}
        while True:
            response = user.client.get(f"/api/v2/{what}", params={"limit": 3, **cursor})
            page = response.json()
            found += [row["name"] for row in page[what]]
            assert ("Link" in response.headers) == (page["next"] is not None)
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert [name for name in found if name in names] == names
    problem(user.client.get("/api/v2/workers?cursor=nonsense"), 422, "cursor")
    problem(user.client.get("/api/v2/queues?limit=201"), 422, "limit")


def test_texts_and_lists_are_cut(user: User) -> None:
    worker = {
        "name": "shop\n" + "w" * 300,
        "host": "h" * 300,
        "queues": [f"{n}" for n in range(60)],
        "versions": {"v" * 300: "1" * 300},
    }

    Reporter(user).send(workers=[worker])

    (row,) = mine(user, "workers")
    assert (row["name"], row["host"]) == ("shop " + "w" * 250, "h" * 255)
    assert (len(row["queues"]), row["versions"]) == (50, {"v" * 255: "1" * 255})


def test_our_own_workers_and_queues_are_listed_for_everybody(user: User) -> None:
    task_id = user.start("test_endless")
    wait_for("it to run", lambda: user.status(task_id)["task"]["status"] == "STARTED")
    name = user.status(task_id)["task"]["worker"].partition("/")[0]

    def own() -> dict[str, Any] | None:
        rows = user.get("workers", limit=200)["workers"]
        return next((row for row in rows if row["name"] == name and task_id in row["running"]), None)

    row = wait_for("its worker to say so", own)
    queues = {q["name"] for q in wait_for("the queues", lambda: user.get("queues", limit=200)["queues"])}

    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    assert (row["pool"], row["alive"], row["queues"]) == ("prefork", True, ["taskroom", "quick"])
    assert row["slots"] >= 2 and row["pid"] > 1 and row["versions"].keys() == {"python", "celery"}
    assert {"taskroom", "quick", "elsewhere"} <= queues
    assert user.finished(task_id)


def test_the_tasks_of_others_that_our_workers_run_are_not_named(user: User, other: User) -> None:
    task_id = other.start("test_endless")
    wait_for("it to run", lambda: other.status(task_id)["task"]["status"] == "STARTED")

    def named(who: User) -> bool:
        return any(task_id in row["running"] for row in who.get("workers", limit=200)["workers"])

    wait_for("its owner to see it", lambda: named(other))

    assert not named(user)
    other.client.post(f"/api/v2/tasks/{task_id}/cancel")
    assert other.finished(task_id)
