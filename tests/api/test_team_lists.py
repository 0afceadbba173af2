"""The lists of a team: whose runs, from when to when, how long, with errors, without steps; counts and histograms agree
with the rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from psycopg2.extras import Json

from tests.api.answers import problem
from tests.support.system import System, User

HOUR = "2026-03-05T10:00:00Z"
NEXT = "2026-03-05T11:00:00Z"
INSERT = """WITH kept AS (INSERT INTO streams (name, last_seq, closed) SELECT 'task:' || %s, 1, true RETURNING id)
    INSERT INTO tasks (id, stream_id, user_id, tenant, parent_id, job_type, title, intent, params, trigger, created_at,
        started_at, finished_at, status, error)
    SELECT %s::uuid, kept.id, %s::uuid, %s, %s::uuid, %s, 'Run', 'execute_command', '{}', 'manual', made, made,
        CASE WHEN %s THEN made + %s * interval '1 s' END, %s, %s
    FROM kept, (SELECT %s::timestamptz AS made) AS moment RETURNING 1"""


@pytest.fixture
def team(system: System) -> Iterator[dict[str, User]]:
    here, there = uuid.uuid4().hex, uuid.uuid4().hex
    roles = {"ann": "operator", "bob": "operator", "lead": "viewer", "worker": "worker"}
    with ExitStack() as stack:
        made = {name: system.user(role, here) for name, role in roles.items()}
        made |= {"stranger": system.user("operator", there), "root": system.user("global_admin", None)}
        for person in made.values():
            stack.enter_context(closing(person.client))
        yield made


def run(
    system: System,
    owner: User,
    at: str = "2026-03-05T10:30:00Z",
    status: str = "SUCCESS",
    seconds: float = 10,
    parent: str | None = None,
    job: str = "nightly",
) -> str:
    """Stores a run of that time, ended or not, as its events would."""
    task_id = str(uuid.uuid4())
    ended = status in ("SUCCESS", "FAILURE", "REVOKED")
    error = Json({"type": "ValueError", "message": "x"}) if status == "FAILURE" else None
    ((tenant,),) = system.sql("SELECT tenant FROM users WHERE id = %s", owner.id)
    row = (task_id, task_id, owner.id, tenant, parent, job, ended, seconds, status, error, at)
    system.sql(INSERT, *row)
    return task_id


def ids(user: User, **query: object) -> list[str]:
    return [row["task_id"] for row in user.get("tasks", **query)["tasks"]]


def counted(user: User, **query: object) -> dict[str, int]:
    answer = user.get("tasks/counts", **query)
    assert answer["complete"]
    return {status: number for status, number in answer["counts"].items() if number}


def of(
    user: User, since: str = "2026-03-05T00:00:00Z", to: str = "2026-03-06T00:00:00Z", **query: object
) -> dict[str, Any]:
    times = user.get("tasks/histogram", **{"from": since, "to": to}, **query)["times"]
    return {time["at"]: time["counts"] for time in times}


def test_a_scope_is_mine_the_tenants_or_all(system: System, team: dict[str, User]) -> None:
    job = uuid.uuid4().hex
    mine, theirs = run(system, team["ann"], job=job), run(system, team["bob"], job=job)
    strange = run(system, team["stranger"], job=job)

    assert ids(team["ann"], scope="mine") == ids(team["ann"]) == ids(team["ann"], scope="own") == [mine]
    assert set(ids(team["lead"], scope="tenant")) == {mine, theirs}
    day = {"from": "2026-03-05T00:00:00Z", "to": "2026-03-06T00:00:00Z"}  # a page looks at 5,000 tasks of all
    assert set(ids(team["root"], scope="all", job_type=job, **day)) == {mine, theirs, strange}
    assert counted(team["root"], scope="all", job_type=job, top="true") == {"SUCCESS": 3}
    assert of(team["root"], scope="all", job_type=job) == {"2026-03-05T10:00:00.000000Z": {"SUCCESS": 3}}
    for name in ("ann", "lead", "worker"):
        for path in (
            "tasks",
            "tasks/counts",
            "tasks/histogram",
            "tasks/types",
            "tasks/people",
            "jobs/history",
        ):
            problem(team[name].client.get(f"/api/v2/{path}", params={"scope": "all"}), 403)
    problem(team["worker"].client.get("/api/v2/tasks/histogram", params={"scope": "tenant"}), 403)


def test_a_list_narrows_to_one_person_and_says_who(system: System, team: dict[str, User]) -> None:
    ann, bob, lead = team["ann"], team["bob"], team["lead"]
    mine, theirs = run(system, ann), run(system, bob, status="FAILURE")
    run(system, team["stranger"])

    assert ids(lead, scope="tenant", who=bob.id) == [theirs]
    assert counted(lead, scope="tenant", who=bob.id) == {"FAILURE": 1}
    assert of(lead, scope="tenant", who=ann.id) == {"2026-03-05T10:00:00.000000Z": {"SUCCESS": 1}}
    assert ids(lead, scope="tenant", who=team["stranger"].id) == [], "only within the tenant"
    assert counted(lead, scope="tenant", who=team["stranger"].id) == {}
    assert ids(ann, who=ann.id) == [mine]
    problem(ann.client.get("/api/v2/tasks", params={"who": bob.id}), 403)
    owners = {row["task_id"]: row["owner"] for row in lead.get("tasks", scope="tenant")["tasks"]}
    assert owners == {mine: ann.email, theirs: bob.email}
    people = lead.get("tasks/people", scope="tenant")["people"]
    assert people == sorted(
        ({"user_id": user.id, "name": user.email} for user in (ann, bob)), key=lambda person: person["name"]
    )
    assert ann.get("tasks/people")["people"] == [{"user_id": ann.id, "name": ann.email}]


def test_a_person_who_left_the_tenant_has_no_name_there(system: System, team: dict[str, User]) -> None:
    run(system, team["bob"])
    system.sql("UPDATE users SET tenant = 'elsewhere' WHERE id = %s RETURNING 1", team["bob"].id)

    (row,) = team["lead"].get("tasks", scope="tenant")["tasks"]
    assert (row["user_id"], row["owner"]) == (team["bob"].id, None)
    assert team["lead"].get("tasks/people", scope="tenant")["people"] == [
        {"user_id": team["bob"].id, "name": None}
    ]


def test_times_bound_when_a_run_was_made(system: System, team: dict[str, User]) -> None:
    ann = team["ann"]
    first, last = run(system, ann, HOUR), run(system, ann, "2026-03-05T10:59:59.5Z", "FAILURE")
    after, open = run(system, ann, NEXT), run(system, ann, "2026-03-05T11:20:00Z", "STARTED")

    assert ids(ann, **{"from": HOUR, "to": NEXT}) == [last, first]
    assert ids(ann, **{"from": "2026-03-05T11:00:00+01:00", "to": "2026-03-05T11:00:00+00:00"}) == [
        last,
        first,
    ]
    assert ids(ann, **{"from": NEXT}) == [open, after]
    assert counted(ann, **{"from": HOUR, "to": NEXT}) == {"SUCCESS": 1, "FAILURE": 1}
    assert counted(ann, **{"from": NEXT}) == {"SUCCESS": 1, "STARTED": 1}
    assert counted(ann, **{"from": "2026-03-05T10:00:01Z", "to": "2026-03-05T11:00:01Z"}) == {
        "FAILURE": 1,
        "SUCCESS": 1,
    }, "also of times that the sums do not have"
    assert of(ann) == {
        "2026-03-05T10:00:00.000000Z": {"SUCCESS": 1, "FAILURE": 1},
        "2026-03-05T11:00:00.000000Z": {"SUCCESS": 1, "STARTED": 1},
    }
    problem(ann.client.get("/api/v2/tasks", params={"from": "yesterday"}), 422, "from")


def test_steps_are_folded_and_listed_below_their_parent(system: System, team: dict[str, User]) -> None:
    ann = team["ann"]
    parent, single = run(system, ann), run(system, ann, HOUR)
    failed, waits = (
        run(system, ann, status="FAILURE", parent=parent, job="step"),
        run(system, ann, status="WAITING", parent=parent),
    )

    rows = ann.get("tasks", top="true")["tasks"]

    assert [row["task_id"] for row in rows] == [parent, single]
    below = [(row["tasks_below"], row["failed_below"], row["waiting_below"]) for row in rows]
    assert below == [(2, 1, 1), (0, 0, 0)]
    assert set(ids(ann, parent_id=parent)) == {failed, waits}
    assert counted(ann, top="true") == {"SUCCESS": 2}
    assert counted(ann, top="true", job_type="step") == {}
    assert counted(ann, top="true", q="run") == {"SUCCESS": 2}
    assert ids(ann, top="true", status="FAILURE") == []
    assert of(ann, top="true") == {"2026-03-05T10:00:00.000000Z": {"SUCCESS": 2}}
    assert of(ann) == {"2026-03-05T10:00:00.000000Z": {"SUCCESS": 2, "FAILURE": 1, "WAITING": 1}}


def test_errors_are_failures_lines_of_errors_and_items(system: System, team: dict[str, User]) -> None:
    ann = team["ann"]
    run(system, ann)
    failed, line, item = run(system, ann, status="FAILURE"), run(system, ann), run(system, ann)
    system.sql(
        """INSERT INTO events (stream_id, seq, type, level, payload)
           SELECT stream_id, 2, 'log', 'ERROR', '{}' FROM tasks WHERE id = %s RETURNING 1""",
        line,
    )
    system.sql(
        """INSERT INTO phases (task_id, phase_id, position, status, error_count)
           VALUES (%s, 'a', 0, 'completed', 3), (%s, 'a', 0, 'completed', 0) RETURNING 1""",
        *(item, run(system, ann)),
    )

    assert set(ids(ann, errors="true")) == {failed, line, item}
    assert counted(ann, errors="true") == {"FAILURE": 1, "SUCCESS": 2}
    assert len(ids(ann, errors="false")) == 5


def test_a_row_counts_errors_however_the_run_ended(system: System, team: dict[str, User]) -> None:
    ann = team["ann"]
    clean, items, lines = run(system, ann), run(system, ann), run(system, ann, status="FAILURE")
    system.sql(
        """INSERT INTO phases (task_id, phase_id, position, status, error_count)
           VALUES (%s, 'a', 0, 'completed', 696), (%s, 'b', 1, 'completed', 2) RETURNING 1""",
        *(items, items),
    )
    system.sql(
        """INSERT INTO events (stream_id, seq, type, level, payload)
           SELECT stream_id, n, 'log', CASE WHEN n < 103 THEN 'ERROR' ELSE 'INFO' END, '{}'
           FROM tasks, generate_series(2, 200) AS n WHERE id = %s RETURNING 1""",
        lines,
    )

    rows = ann.get("tasks")["tasks"]

    counted = {row["task_id"]: (row["error_count"], row["error_lines"]) for row in rows}
    assert counted == {clean: (0, 0), items: (698, 0), lines: (0, 100)}


def test_a_row_has_the_first_phases_of_a_run_that_did_not_succeed(
    system: System, team: dict[str, User]
) -> None:
    ann = team["ann"]
    running, done = run(system, ann, status="STARTED"), run(system, ann)
    system.sql(
        """INSERT INTO phases (task_id, phase_id, position, status, error_count, updated_at)
           SELECT id::uuid, 'p' || n, n, 'completed', n, %s FROM unnest(%s) AS id, generate_series(0, 29) AS n
           RETURNING 1""",
        *(HOUR, [running, done]),
    )

    rows = {row["task_id"]: row["phases"] for row in ann.get("tasks")["tasks"]}

    assert rows[done] == []
    assert [phase["phase_id"] for phase in rows[running]] == [f"p{n}" for n in range(24)]
    assert rows[running][2] == {
        "phase_id": "p2",
        "status": "completed",
        "processed_count": 0,
        "total_count": None,
        "error_count": 2,
        "started_at": None,
        "updated_at": "2026-03-05T10:00:00.000000Z",
        "duration_seconds": None,
    }


def test_durations_are_those_of_ended_runs(system: System, team: dict[str, User]) -> None:
    ann = team["ann"]
    short, long = run(system, ann, seconds=2), run(system, ann, HOUR, seconds=600)
    run(system, ann, status="STARTED")

    assert ids(ann, min_seconds=2) == [short, long]
    assert ids(ann, min_seconds=2.5) == [long]
    assert ids(ann, max_seconds=599.9) == [short]
    assert ids(ann, min_seconds=3, max_seconds=599) == []
    assert counted(ann, min_seconds=60) == {"SUCCESS": 1}
    problem(ann.client.get("/api/v2/tasks", params={"min_seconds": -1}), 422, "min_seconds")


def test_a_histogram_has_hours_of_a_month_and_days_of_a_year(system: System, team: dict[str, User]) -> None:
    ann = team["ann"]
    run(system, ann)
    get = ann.client.get

    hours = ann.get("tasks/histogram", **{"from": "2026-03-05T10:59:00Z", "to": "2026-03-05T11:01:00Z"})
    days = ann.get("tasks/histogram", **{"from": "2026-01-01T00:00:00Z", "to": "2026-12-31T00:00:00Z"})
    none = ann.get("tasks/histogram", window="24h")

    assert (hours["since"], hours["until"]) == (
        "2026-03-05T10:00:00.000000Z",
        "2026-03-05T12:00:00.000000Z",
    ), "whole hours"
    assert hours["times"] == [{"at": "2026-03-05T10:00:00.000000Z", "counts": {"SUCCESS": 1}}]
    assert (hours["unit"], days["unit"], none["unit"]) == ("hour", "day", "hour")
    assert days["times"] == [{"at": "2026-03-05T00:00:00.000000Z", "counts": {"SUCCESS": 1}}]
    assert none["times"] == [] and none["complete"]
    for wrong in ({"from": "2024-01-01T00:00:00Z"}, {"from": NEXT, "to": HOUR}):
        problem(get("/api/v2/tasks/histogram", params=wrong), 422, "to")
    problem(get("/api/v2/tasks/histogram", params={"to": "0001-01-01T00:00:00Z"}), 422, "to")
    problem(get("/api/v2/tasks/histogram", params={"q": "x"}), 422, "q")


def test_statistics_of_a_job_type_are_of_all_tenants_for_their_admin(
    system: System, team: dict[str, User]
) -> None:
    job = uuid.uuid4().hex
    made = [system.user("operator", uuid.uuid4().hex) for _ in range(2)]
    for person in made:
        with closing(person.client):
            task_id = run(system, person, status="STARTED", job=job, at="2026-11-01T00:00:00Z")
            system.sql(
                "UPDATE tasks SET status = 'SUCCESS', started_at = now(), finished_at = now() WHERE id = %s",
                task_id,
            )

    found = team["root"].get(f"jobs/{job}/stats", scope="all")

    assert found["counts"]["SUCCESS"] == 2
    assert job in team["root"].get("tasks/types", scope="all")["job_types"]
    problem(team["lead"].client.get(f"/api/v2/jobs/{job}/stats", params={"scope": "all"}), 403)
