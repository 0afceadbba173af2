"""What the list of a team shows at a glance: which runs need approval, and how many errors each has."""

from __future__ import annotations

from tests.api.test_team_lists import ids, run, team  # noqa: F401 - a fixture
from tests.support.system import System, User


def test_runs_that_need_approval_are_listed_and_counted_wherever_in_their_tree_it_waits(
    system: System,
    team: dict[str, User],  # noqa: F811
) -> None:
    ann, bob, lead = team["ann"], team["bob"], team["lead"]
    parent, single = run(system, ann, status="STARTED"), run(system, ann, status="WAITING", job="other")
    step = run(system, ann, status="STARTED", parent=parent)
    deep = run(system, ann, status="WAITING", parent=step)
    theirs = run(system, bob, status="STARTED")
    run(system, bob, status="WAITING", parent=theirs)
    run(system, ann, parent=run(system, ann, status="STARTED"))
    run(system, team["stranger"], status="WAITING")

    def needs(user: User, **query: object) -> tuple[set[str], int]:
        counts = user.get("tasks/counts", **query)
        by_status = user.get("tasks/counts", approval="true", **query)["counts"]
        assert sum(by_status.values()) == counts["approval"]
        return set(ids(user, approval="true", **query)), counts["approval"]

    assert needs(ann, top="true") == ({parent, single}, 2)
    assert needs(ann, top="true", q="other") == ({single}, 1)
    assert needs(ann) == ({parent, single, step, deep}, 4)
    assert needs(lead, scope="tenant", top="true") == ({parent, single, theirs}, 3)
    assert needs(lead, scope="tenant", top="true", who=bob.id) == ({theirs}, 1)
    assert needs(lead) == (set(), 0)
    assert {parent, single, theirs} <= needs(team["root"], scope="all", top="true")[0]
    assert set(ids(ann, approval="true", top="true", status="STARTED")) == {parent}


def test_a_row_counts_errors_however_the_run_ended(system: System, team: dict[str, User]) -> None:  # noqa: F811
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
