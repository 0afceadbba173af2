"""What is kept of observed tasks beside their events: attempts, budgets, plans, and how old ones go."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.errors import TooMany
from app.stream.event import Draft
from app.stream.store import Appended
from app.stream.transaction import Transaction
from app.tasks import budget
from app.tasks.observed import own
from app.tasks.observed.fleet import WorkerEntry
from app.tasks.observed.lookups import BUDGET_SECONDS, FORECAST_SECONDS, Lookups
from app.tasks.plan import Forecast
from app.tasks.removal import remove_tasks
from tests.api.reporters import DONE, STARTED, line, new_task, part, phase
from tests.stream.helpers import sql
from tests.support.clock import Clock
from tests.tasks.helpers import Tasks, folded
from tests.tasks.reporting import Program


def left(tasks: Tasks) -> set[str]:
    return {task_id for (task_id,) in sql(tasks.database, "SELECT id::text FROM tasks")}


def age(tasks: Tasks, *ids: str) -> None:
    sql(
        tasks.database,
        "UPDATE tasks SET finished_at = now() - interval '400 days' WHERE id = ANY(%s::uuid[])",
        list(ids),
    )


def test_the_rows_are_the_fold_of_the_events(tasks: Tasks) -> None:
    program = Program(tasks)
    mail = new_task(
        STARTED, phase("read", total_count=3), line("x"), phase("write"), queue="slow", can_retry=True
    )

    program.send(mail)
    program.send(part(mail["task_id"], DONE, title="Mail"))

    events = tasks.events(mail["task_id"])
    assert folded(events) == tasks.state(mail["task_id"])


def test_one_append_has_the_events_of_all_tasks(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    append, appends = Transaction.append, []

    def counting(tx: Transaction, drafts: Sequence[Draft]) -> Appended:
        appends.append(len(drafts))
        return append(tx, drafts)

    monkeypatch.setattr(Transaction, "append", counting)
    Program(tasks).send(*(new_task(STARTED, line("x"), DONE) for _ in range(50)))

    assert appends == [50 * 6]


def test_an_old_task_goes_alone_and_what_refers_to_it_stays(tasks: Tasks) -> None:
    program = Program(tasks)
    parent, mail = new_task(STARTED, DONE), new_task(STARTED, DONE)
    child = new_task(STARTED, parent_id=parent["task_id"])
    program.send(parent, child, mail)
    (again,) = program.send(part(mail["task_id"], STARTED, DONE, attempt="two"))["tasks"]
    age(tasks, parent["task_id"], mail["task_id"])

    assert remove_tasks(tasks.connect, 365) == 2

    assert left(tasks) == {child["task_id"], again["task_id"]}
    rows = sql(tasks.database, "SELECT parent_id, retry_of FROM tasks")
    assert rows == [(None, None)] * 2
    names = sql(tasks.database, "SELECT name FROM reported_attempts WHERE reported_id = %s", mail["task_id"])
    assert names == [("two",)]
    (later,) = program.send(part(mail["task_id"], STARTED, attempt="three"))["tasks"]
    assert later["retry_of"] == again["task_id"], "the id still means its newest task"


def test_a_chain_without_an_end_is_removed_from_its_beginning(tasks: Tasks) -> None:
    program = Program(tasks)
    chain = [str(uuid.uuid4()) for _ in range(5)]
    for task_id, parent in zip(chain, [None, *chain], strict=False):
        program.send(new_task(STARTED, DONE, task_id=task_id, parent_id=parent))
    age(tasks, *chain[:4])

    removed = [remove_tasks(tasks.connect, 365) for _ in range(4)]

    assert sum(removed) == 4
    assert left(tasks) == {chain[4]}


def test_an_observed_child_keeps_no_task_of_ours(tasks: Tasks) -> None:
    ours = tasks.started()
    program = Program(tasks)
    child = new_task(STARTED, parent_id=ours)
    program.send(child)
    tasks.end(ours)
    age(tasks, ours)

    assert remove_tasks(tasks.connect, 365) == 1

    assert left(tasks) == {child["task_id"]}


def test_a_user_over_the_budget_gets_no_new_tasks_but_known_ones_go_on(tasks: Tasks) -> None:
    program = Program(tasks, budget=20_000)
    known = new_task(STARTED)
    program.send(known)
    sql(
        tasks.database,
        "INSERT INTO stored_bytes (user_id, day, bytes) VALUES (%s, (now() AT TIME ZONE 'UTC')::date, 30000)",
        tasks.user_id,
    )
    program.lookups = Lookups(20_000)

    answer = program.send(new_task(STARTED), part(known["task_id"], line("goes on")))

    assert [row["task_id"] for row in answer["tasks"]] == [known["task_id"]]
    (refused,) = answer["refused"]
    assert refused["status"] == 429
    assert refused["title"].startswith("The daily budget is used up: 3")
    assert sql(tasks.database, "SELECT count(*) FROM streams WHERE name LIKE 'task:%%'") == [(1,)]


def test_the_plan_and_the_budget_are_asked_for_now_and_then(tasks: Tasks) -> None:
    clock = Clock()
    lookups = Lookups(20_000, lambda: clock.now)
    program = Program(tasks)
    with tasks.connect() as connection, connection.cursor() as cur:
        none = lookups.forecast(cur, "shop.mail", tasks.user_id, None)
        fine = lookups.over_budget(cur, tasks.user_id)
    program.send(
        new_task(
            STARTED | {"timestamp": "2026-01-02T03:04:00Z"},
            phase("read", timestamp="2026-01-02T03:04:00Z"),
            {"type": "phase_complete", "phase_id": "read", "timestamp": "2026-01-02T03:04:10Z"},
            phase("write", timestamp="2026-01-02T03:04:10Z"),
            {"type": "phase_complete", "phase_id": "write", "timestamp": "2026-01-02T03:04:40Z"},
            DONE | {"timestamp": "2026-01-02T03:04:40Z"},
        )
    )
    sql(
        tasks.database,
        "INSERT INTO stored_bytes (user_id, day, bytes) VALUES (%s, (now() AT TIME ZONE 'UTC')::date, 30000)",
        tasks.user_id,
    )
    found = []

    for passed in (0.0, FORECAST_SECONDS, BUDGET_SECONDS):
        clock.now += passed
        with tasks.connect() as connection, connection.cursor() as cur:
            plan = lookups.forecast(cur, "shop.mail", tasks.user_id, None).plan
            found.append((plan is not None, lookups.over_budget(cur, tasks.user_id) is not None))

    assert (none, fine) == (Forecast(), None)
    assert found == [(False, False), (True, False), (True, True)]
    second = new_task(STARTED, phase("read", "completed"))
    program.lookups = Lookups(0)
    program.send(second)
    task = tasks.state(second["task_id"])["task"]
    assert [(p["phase_id"], p["weight"], p["seconds"]) for p in task["plan"]] == [
        ("read", 0.25, 10.0),
        ("write", 0.75, 30.0),
    ]
    assert (task["progress"], task["progress_known"]) == (25, True)


def stored_for(tasks: Tasks, user_id: str) -> int:
    """Returns the bytes that the budget of the user counts."""
    with tasks.connect() as connection, connection.cursor() as cur:
        try:
            budget.check(cur, user_id, 1)
        except TooMany as full:
            return int(full.detail.split(": ")[1].split(" of ")[0].replace(",", ""))
    return 0


def test_the_reporter_pays_for_what_it_reports_of_a_task_of_somebody_else(tasks: Tasks) -> None:
    program = Program(tasks, budget=50_000, tenant="acme")
    named = tasks.add_user("acme")
    ((email,),) = sql(tasks.database, "SELECT email FROM users WHERE id = %s", named)
    long = line("m" * 10_000)
    theirs = new_task(STARTED, long, long, owner=email, params={"text": "x" * 5_000})
    program.send(theirs)
    assert tasks.state(theirs["task_id"])["task"]["user_id"] == named
    begun = stored_for(tasks, program.reporter.user_id)

    program.send({"task_id": theirs["task_id"], "attempt": theirs["attempt"], "events": [long, DONE]})

    ((events,),) = sql(
        tasks.database,
        "SELECT bytes FROM streams WHERE name = %s",
        f"task:{theirs['task_id']}",
    )
    params = len('{"text":""}') + 5_000
    assert begun > 25_000
    assert stored_for(tasks, program.reporter.user_id) == 2_000 + params + events > begun + 10_000
    assert stored_for(tasks, named) == 0


def test_the_budget_of_the_reporter_is_asked_and_not_that_of_the_owner_it_names(tasks: Tasks) -> None:
    program = Program(tasks, budget=20_000, tenant="acme")
    named = tasks.add_user("acme")
    ((email,),) = sql(tasks.database, "SELECT email FROM users WHERE id = %s", named)
    over = (
        "INSERT INTO stored_bytes (user_id, day, bytes) VALUES (%s, (now() AT TIME ZONE 'UTC')::date, 30000)"
    )

    sql(tasks.database, over, named)
    of_a_full_owner = program.send(new_task(STARTED, owner=email))
    sql(tasks.database, over, program.reporter.user_id)
    program.lookups = Lookups(20_000)
    of_a_full_reporter = program.send(new_task(STARTED, owner=email))

    assert of_a_full_owner["refused"] == []
    assert [row["status"] for row in of_a_full_reporter["refused"]] == [429]


FILL = {
    "worker_reports": """INSERT INTO worker_reports (id, user_id, name, queues, running, versions)
        SELECT gen_random_uuid(), %s, 'w' || n, '{}', '{}', '{}' FROM generate_series(1, %s) AS n""",
    "queue_reports": """INSERT INTO queue_reports (id, user_id, name, depth)
        SELECT gen_random_uuid(), %s, 'q' || n, 1 FROM generate_series(1, %s) AS n""",
}


def named(tasks: Tasks, table: str, user_id: str | None = None) -> list[str]:
    """Returns the names of what an account has reported; of our own without one."""
    rows = sql(tasks.database, f"SELECT name, user_id::text FROM {table} ORDER BY name")
    return [name for name, of in rows if of == user_id]


def test_an_account_has_a_share_of_the_workers_and_the_answer_names_what_has_no_room(tasks: Tasks) -> None:
    program, other = Program(tasks), Program(tasks)
    other.reporter = replace(other.reporter, user_id=tasks.add_user(), key=str(uuid.uuid4()))
    for statement in FILL.values():
        sql(tasks.database, statement, tasks.user_id, 998)
    three = {
        "workers": [{"name": f"worker {n}"} for n in (1, 2, 3)],
        "queues": [{"name": f"queue {n}", "depth": 1} for n in (1, 2, 3)],
    }

    first, others, again = program.send(**three), other.send(**three), program.send(**three)
    known = program.send(workers=[{"name": "worker 1", "slots": 7}])

    assert first["not_stored"] == again["not_stored"] == {"workers": ["worker 3"], "queues": ["queue 3"]}
    assert "not_stored" not in others | known
    for table, kind in (("worker_reports", "worker"), ("queue_reports", "queue")):
        assert len(named(tasks, table, tasks.user_id)) == 1_000
        assert named(tasks, table, other.reporter.user_id) == [f"{kind} {n}" for n in (1, 2, 3)]
    assert sql(tasks.database, "SELECT slots FROM worker_reports WHERE slots > 0") == [(7,)]


def test_an_installation_has_room_for_so_many_and_always_for_its_own(tasks: Tasks) -> None:
    for _ in range(10):
        user_id = tasks.add_user()
        for statement in FILL.values():
            sql(tasks.database, statement, user_id, 1_000)
    sql(tasks.database, "DELETE FROM worker_reports WHERE name = 'w1' AND user_id = %s", user_id)
    program = Program(tasks)

    answer = program.send(workers=[{"name": "a"}, {"name": "b"}], queues=[{"name": "a", "depth": 1}])
    with tasks.connect() as connection, connection.cursor() as cur:
        own.report_own_worker(cur, WorkerEntry(name="ours"))
    own.report_own_queues(tasks.connect, ["ours"], dict, 5.0)

    assert answer["not_stored"] == {"workers": ["b"], "queues": ["a"]}
    assert named(tasks, "worker_reports", tasks.user_id) == ["a"]
    assert named(tasks, "worker_reports") == named(tasks, "queue_reports") == ["ours"]


def test_what_nobody_reports_for_a_day_goes(tasks: Tasks) -> None:
    from app.tasks.cleanup import delete_expired

    program = Program(tasks)
    program.send(workers=[{"name": "old"}, {"name": "new"}], queues=[{"name": "old", "depth": 1}])
    for table in ("worker_reports", "queue_reports"):
        sql(tasks.database, f"UPDATE {table} SET seen_at = now() - interval '25 hours' WHERE name = 'old'")

    delete_expired(tasks.connect)

    assert sql(tasks.database, "SELECT name FROM worker_reports") == [("new",)]
    assert sql(tasks.database, "SELECT name FROM queue_reports") == []
