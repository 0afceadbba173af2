"""The tree of observed tasks: parents that come after their children, groups, and what no tree is."""

from __future__ import annotations

import uuid

from tests.api.reporters import DONE, PENDING, STARTED, line, new_task, part, status
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks, folded
from tests.tasks.reporting import Program, rounds

QUIET_ROUNDS = 3  # of five seconds: the first finds the group quiet, ten seconds later it may end


def parents(tasks: Tasks) -> dict[str, str | None]:
    return dict(sql(tasks.database, "SELECT id::text, parent_id::text FROM tasks"))


def field(tasks: Tasks, task_id: str, *names: str) -> tuple[object, ...]:
    task = tasks.state(task_id)["task"]
    return tuple(task[name] for name in names)


def test_a_child_may_come_before_its_parent(tasks: Tasks) -> None:
    program, parent = Program(tasks), str(uuid.uuid4())
    child = new_task(STARTED, parent_id=parent)

    program.send(child)
    unheard = field(tasks, parent, "job_type", "title", "status", "observed", "parent_id")
    nameless = program.send(part(parent, line("x")))
    program.send(
        new_task(
            STARTED, DONE, task_id=parent, title="All", params={"n": 1}, created_at="2026-01-01T00:00:00Z"
        )
    )

    assert unheard == ("unknown", "Parent of shop.mail", "PENDING", True, None)
    assert nameless["refused"][0]["errors"].keys() == {"job_type"}
    assert field(tasks, child["task_id"], "parent_id", "trigger") == (parent, "subtask")
    assert field(tasks, parent, "job_type", "title", "status", "params", "created_at") == (
        *("shop.mail", "All", "SUCCESS", {"n": 1}, "2026-01-01T00:00:00.000000Z"),
    )
    state = folded(tasks.events(parent))
    assert state["task"] == tasks.state(parent)["task"] | {"attempt": 1}, "a viewer's fold is the row"


def test_a_parent_and_its_child_may_come_in_one_batch_in_any_order(tasks: Tasks) -> None:
    program = Program(tasks)
    for first in ("parent", "child"):
        parent = new_task(STARTED)
        child = new_task(STARTED, parent_id=parent["task_id"])
        both = (parent, child) if first == "parent" else (child, parent)

        answer = program.send(*both)

        assert [row["task_id"] for row in answer["tasks"]] == [each["task_id"] for each in both]
        assert field(tasks, parent["task_id"], "job_type", "status") == ("shop.mail", "STARTED")
        assert field(tasks, child["task_id"], "parent_id") == (parent["task_id"],)


def test_a_parent_that_is_its_own_is_none(tasks: Tasks) -> None:
    """As Celery says it of a retry."""
    task_id = str(uuid.uuid4())

    Program(tasks).send(new_task(STARTED, task_id=task_id, parent_id=task_id, root_id=task_id))

    assert field(tasks, task_id, "parent_id", "trigger", "root_id") == (None, "manual", None)


def test_no_task_is_above_itself(tasks: Tasks) -> None:
    program = Program(tasks)
    first, second, third = (str(uuid.uuid4()) for _ in range(3))
    program.send(new_task(STARTED, task_id=first, parent_id=second))
    program.send(new_task(STARTED, task_id=second, parent_id=third))

    program.send(new_task(STARTED, task_id=third, parent_id=first))
    one_batch = [str(uuid.uuid4()) for _ in range(2)]
    program.send(
        new_task(STARTED, task_id=one_batch[0], parent_id=one_batch[1]),
        new_task(STARTED, task_id=one_batch[1], parent_id=one_batch[0]),
    )

    found = parents(tasks)
    assert (found[first], found[second], found[third]) == (second, third, None)
    assert [found[id] for id in one_batch] == [one_batch[1], None]


def test_the_end_of_a_child_changes_nothing_of_its_parent(tasks: Tasks) -> None:
    program, parent = Program(tasks), new_task(STARTED)
    child = new_task(STARTED, parent_id=parent["task_id"])
    program.send(parent, child)
    before = tasks.state(parent["task_id"])

    program.send(part(child["task_id"], DONE))

    assert tasks.state(parent["task_id"]) == before


def test_an_observed_child_is_no_step_of_our_parent(tasks: Tasks) -> None:
    ours = tasks.started()
    program = Program(tasks)
    child = new_task(STARTED, parent_id=ours)

    program.send(child)
    program.send(part(child["task_id"], DONE))
    tasks.end(ours)

    assert field(tasks, child["task_id"], "parent_id", "status") == (ours, "SUCCESS")
    assert tasks.statuses(ours) == ["PENDING", "STARTED", "SUCCESS"]


def test_members_of_a_group_without_a_parent_hang_under_a_node(tasks: Tasks) -> None:
    program, group, root = Program(tasks), str(uuid.uuid4()), str(uuid.uuid4())
    above = new_task(STARTED)
    members = [new_task(PENDING, attempt=None, group_id=group, root_id=root) for _ in range(3)]
    placed = new_task(PENDING, attempt=None, group_id=group, parent_id=above["task_id"])

    program.send(above, *members, placed)

    assert field(tasks, group, "job_type", "title", "status", "observed") == (
        "group",
        "Group of shop.mail",
        "STARTED",
        True,
    )
    assert field(tasks, group, "parent_id", "progress", "progress_known") == (None, 0, True)
    found = parents(tasks)
    assert {found[each["task_id"]] for each in members} == {group}
    assert found[placed["task_id"]] == above["task_id"]
    assert field(tasks, placed["task_id"], "group_id") == (group,)
    assert tasks.leases() == {above["task_id"]: (1, 0)}, "a group needs no reporter"


def test_the_progress_of_a_group_is_that_of_its_members(tasks: Tasks) -> None:
    program, group = Program(tasks), str(uuid.uuid4())
    members = [new_task(STARTED, group_id=group) for _ in range(4)]
    program.send(*members)
    seen = []

    for each in members:
        program.send(part(each["task_id"], DONE))
        seen.append(field(tasks, group, "status", "progress", "current_phase_message"))
    titles = [field(tasks, group, "title")]
    program.send(new_task(STARTED, DONE, group_id=group, job_type="shop.pay"))
    titles.append(field(tasks, group, "title"))

    assert titles == [("Group of 4 × shop.mail",), ("Group of 5 tasks",)]
    assert seen == [
        ("STARTED", 25, "1 of 4 have ended"),
        ("STARTED", 50, "2 of 4 have ended"),
        ("STARTED", 75, "3 of 4 have ended"),
        ("STARTED", 99.9, "4 of 4 have ended"),
    ]


def test_a_group_ends_when_all_have_ended_and_none_has_come_for_ten_seconds(tasks: Tasks) -> None:
    program, group = Program(tasks), str(uuid.uuid4())
    first, second = (new_task(STARTED, group_id=group) for _ in range(2))
    with rounds(tasks) as turned:
        program.send(first)
        turned.turn(QUIET_ROUNDS + 2)
        program.send(part(first["task_id"], DONE))
        turned.turn(QUIET_ROUNDS - 1)
        program.send(second, part(second["task_id"], DONE))
        turned.turn(QUIET_ROUNDS - 1)
        open_still = field(tasks, group, "status")
        turned.turn()

    assert open_still == ("STARTED",)
    assert field(tasks, group, "status", "progress", "result") == (
        *("SUCCESS", 100, {"members": 2, "failed": 0}),
    )
    assert sql(tasks.database, "SELECT 1 FROM open_groups") == []
    types = [e["type"] for e in tasks.events(group)]
    assert types[:3] == ["task_status", "task_status", "agent_started"]
    assert types[-2:] == ["agent_completed", "task_status"]


def test_a_group_fails_when_any_member_has(tasks: Tasks) -> None:
    program, group = Program(tasks), str(uuid.uuid4())
    program.send(
        new_task(STARTED, DONE, group_id=group),
        new_task(STARTED, status("FAILURE"), group_id=group),
        new_task(STARTED, DONE, group_id=group),
    )

    with rounds(tasks) as turned:
        turned.turn(QUIET_ROUNDS)

    assert field(tasks, group, "status", "result") == ("FAILURE", {"members": 3, "failed": 1})
    assert field(tasks, group, "error")[0]["message"] == "1 of 3 did not succeed"  # type: ignore[index]


def test_a_member_that_is_lost_counts_as_ended(tasks: Tasks) -> None:
    program, group = Program(tasks), str(uuid.uuid4())
    program.send(new_task(STARTED, group_id=group, lease_seconds=5), new_task(STARTED, DONE, group_id=group))

    with rounds(tasks) as turned:
        turned.turn(2)
        told = field(tasks, group, "current_phase_message")
        turned.turn(QUIET_ROUNDS)

    assert told == ("2 of 2 have ended",)
    assert field(tasks, group, "status") == ("FAILURE",)


def test_a_cancelled_group_ends_as_such(tasks: Tasks) -> None:
    from app.tasks.observed.cancel import cancel

    program, group = Program(tasks), str(uuid.uuid4())
    members = [new_task(PENDING, attempt=None, group_id=group) for _ in range(3)]
    program.send(*members)

    with tasks.transaction() as tx:
        cancel(tx, group, "ann@example.org")
    with rounds(tasks) as turned:
        turned.turn(QUIET_ROUNDS)

    assert field(tasks, group, "status") == ("REVOKED",)
    assert {field(tasks, each["task_id"], "status") for each in members} == {("REVOKED",)}


def test_a_late_member_of_an_ended_group_hangs_under_its_node(tasks: Tasks) -> None:
    program, group = Program(tasks), str(uuid.uuid4())
    program.send(new_task(STARTED, DONE, group_id=group))
    with rounds(tasks) as turned:
        turned.turn(QUIET_ROUNDS)
    late = new_task(STARTED, DONE, group_id=group)

    assert program.send(late)["refused"] == []

    assert field(tasks, late["task_id"], "parent_id") == (group,)
    assert field(tasks, group, "status", "result") == ("SUCCESS", {"members": 1, "failed": 0})


def test_a_node_is_reported_by_nobody(tasks: Tasks) -> None:
    program, group = Program(tasks), str(uuid.uuid4())
    program.send(new_task(STARTED, group_id=group))

    (refused,) = program.send(new_task(STARTED, task_id=group))["refused"]

    assert (refused["status"], refused["title"]) == (409, "It is the node of a group")


def test_a_group_that_another_transaction_has_locked_is_counted_with_the_next_end(tasks: Tasks) -> None:
    program, group = Program(tasks), str(uuid.uuid4())
    first, second = (new_task(STARTED, group_id=group) for _ in range(2))
    program.send(first, second)

    with tasks.of_any_thread() as tx:
        tx.cur.execute("SELECT 1 FROM streams WHERE name = %s FOR UPDATE", (f"task:{group}",))
        program.send(part(first["task_id"], DONE))
    missed = field(tasks, group, "progress")
    program.send(part(second["task_id"], DONE))

    assert missed == (0,)
    assert field(tasks, group, "current_phase_message") == ("2 of 2 have ended",)


def test_an_unheard_parent_gets_the_owner_that_is_named_for_it(tasks: Tasks) -> None:
    other = tasks.add_user("acme")
    tasks.user_id = tasks.add_user("acme")
    (email,) = sql(tasks.database, "SELECT email FROM users WHERE id = %s", other)[0]
    program, parent = Program(tasks, tenant="acme"), str(uuid.uuid4())
    program.send(new_task(STARTED, parent_id=parent))

    program.send(new_task(STARTED, task_id=parent, owner=email))

    assert field(tasks, parent, "user_id", "title") == (other, "shop.mail")
    streams = sql(
        tasks.database,
        """SELECT payload::json ->> 'task_id', type FROM events JOIN streams ON streams.id = stream_id
           WHERE name = %s ORDER BY seq""",
        f"user:{other}",
    )
    assert streams[0] == (parent, "task_created")
    assert ("SUCCESS" not in str(streams)) and {id for id, _ in streams if id} == {parent}
    counts = dict(
        sql(
            tasks.database,
            "SELECT status, sum(number)::int FROM task_counts WHERE user_id = %s GROUP BY 1",
            other,
        )
    )
    assert {status: n for status, n in counts.items() if n} == {"STARTED": 1}
