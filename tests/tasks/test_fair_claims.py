"""The fair queue: claims are fair across users, and a user's running tasks have a limit."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import Any

import pytest

from app.stream.store import DatabaseUnavailable
from app.tasks.dispatch import Dispatcher
from app.tasks.fair_claims import _CHOOSE, FairClaim, next_hint, send_held
from app.tasks.slots import Cap, register_worker, unregister_worker
from tests.stream.helpers import sql
from tests.support.plans import rows_visited
from tests.tasks.helpers import Tasks
from tests.tasks.test_dispatch import Broker

CAP = Cap()
WORKER = "celery@here"


@pytest.fixture
def ann(tasks: Tasks) -> str:
    return tasks.user_id


@pytest.fixture
def bob(tasks: Tasks) -> str:
    return tasks.add_user()


def worker(tasks: Tasks, slots: int, spare: int, name: str = WORKER) -> None:
    with tasks.connect() as conn, conn.cursor() as cur:
        register_worker(cur, name, ["taskroom"], slots, spare)


def waiting(tasks: Tasks, user: str, number: int, **more: Any) -> list[str]:
    return [tasks.create(user_id=user, **more) for _ in range(number)]


def fair_claim(task_id: str, cap: Cap = CAP, name: str = WORKER) -> FairClaim:
    return FairClaim(cap, "taskroom", ["emit_load", "artifact"], (task_id, 1), f"{name}/7")


def message(tasks: Tasks, task_id: str, cap: Cap = CAP) -> str | None:
    """Returns the task that a worker claims by the message of this task."""
    claimed = fair_claim(task_id, cap).claim_fairest(tasks.transaction)
    return claimed.task_id if claimed else None


def next_of(tasks: Tasks, task_id: str) -> str | None:
    """Returns the task of the hint that is sent when this task's attempt is over."""
    with tasks.connect() as conn, conn.cursor() as cur:
        hint = next_hint(cur, task_id, ["emit_load", "artifact"])
    return hint.task_id if hint else None


def sent_by_a_round(tasks: Tasks) -> list[str]:
    """Returns the held tasks for which a round sends hints."""
    broker = Broker()
    send_held(tasks.connect, Dispatcher(broker, lambda _: "taskroom"), CAP, lambda _: "taskroom")
    return [task_id for _, task_id in broker.sent]


def test_two_users_alternate_whatever_the_brokers_order(tasks: Tasks, ann: str, bob: str) -> None:
    anns, bobs = waiting(tasks, ann, 4), waiting(tasks, bob, 2)

    claimed = []
    for task_id in anns + bobs:  # in the broker's order
        claimed.append(message(tasks, task_id))
        tasks.end(str(claimed[-1]))  # one slot: nothing runs when the next message is taken

    assert claimed == [anns[0], bobs[0], anns[1], bobs[1], anns[2], anns[3]]


def test_the_user_with_fewer_running_tasks_comes_first(tasks: Tasks, ann: str, bob: str) -> None:
    worker(tasks, slots=8, spare=0)
    anns, bobs = waiting(tasks, ann, 5), waiting(tasks, bob, 2)

    assert [message(tasks, task_id) for task_id in anns[:4]] == [anns[0], bobs[0], anns[1], bobs[1]]


def test_the_spare_slot_is_for_another_user(tasks: Tasks, ann: str, bob: str) -> None:
    worker(tasks, slots=3, spare=1)
    anns = waiting(tasks, ann, 100)

    assert [message(tasks, task_id) for task_id in anns] == [anns[0], anns[1], *98 * [None]]
    (bobs,) = waiting(tasks, bob, 1)
    assert message(tasks, bobs) == bobs


@pytest.mark.parametrize(("slots", "spare"), [(1, 0), (3, 1), (9, 1)])
def test_beside_a_hundred_steps_the_next_claim_is_another_users(
    tasks: Tasks, ann: str, bob: str, slots: int, spare: int
) -> None:
    """Whichever message comes next: those of the steps were sent before."""
    worker(tasks, slots, spare)
    steps = waiting(tasks, ann, 100)
    running = [message(tasks, step) for step in steps[: slots - spare]]
    (bobs,) = waiting(tasks, bob, 1)
    if not spare:
        tasks.end(str(running.pop()))  # the only slot becomes free

    assert message(tasks, steps[50]) == bobs


def test_a_user_alone_has_all_other_slots_of_all_workers(tasks: Tasks, ann: str) -> None:
    worker(tasks, slots=3, spare=1)
    worker(tasks, slots=5, spare=1, name="celery@there")
    anns = waiting(tasks, ann, 10)

    assert sum(message(tasks, task_id) is not None for task_id in anns) == 6


def test_a_worker_that_is_gone_has_no_slots_and_its_tasks_take_none(tasks: Tasks, ann: str) -> None:
    worker(tasks, slots=2, spare=1)
    worker(tasks, slots=4, spare=1, name="celery@there")
    anns = waiting(tasks, ann, 10)
    for task_id in anns[:3]:
        assert fair_claim(task_id, name="celery@there").claim_fairest(tasks.transaction)
    with tasks.connect() as conn, conn.cursor() as cur:
        unregister_worker(cur, "celery@there")

    assert [message(tasks, task_id) for task_id in anns[3:]] == [anns[3], *6 * [None]]


@pytest.mark.parametrize(("silent", "may_run"), [(15, 4), (21, 1)])
def test_a_worker_without_a_report_for_four_rounds_has_no_slots(
    tasks: Tasks, ann: str, silent: int, may_run: int
) -> None:
    worker(tasks, slots=2, spare=1)
    worker(tasks, slots=4, spare=1, name="celery@there")
    sql(
        tasks.database,
        "UPDATE workers SET seen_at = now() - make_interval(secs => %s) WHERE name = 'celery@there'",
        silent,
    )
    anns = waiting(tasks, ann, 6)

    assert sum(message(tasks, task_id) is not None for task_id in anns) == may_run


def test_without_a_known_worker_no_task_is_held(tasks: Tasks, ann: str) -> None:
    anns = waiting(tasks, ann, 5)

    assert [message(tasks, task_id) for task_id in anns] == anns


def test_an_operator_may_set_another_cap(tasks: Tasks, ann: str) -> None:
    worker(tasks, slots=10, spare=1)
    anns = waiting(tasks, ann, 5)

    assert [message(tasks, task_id, Cap(most=3)) for task_id in anns] == [*anns[:3], None, None]


def test_the_end_of_a_task_of_a_held_user_sends_the_next(tasks: Tasks, ann: str, bob: str) -> None:
    worker(tasks, slots=2, spare=1)
    anns, (bobs,) = waiting(tasks, ann, 3), waiting(tasks, bob, 1)
    assert [message(tasks, task_id) for task_id in (*anns, bobs)] == [anns[0], bobs, None, None]

    tasks.end(bobs)
    assert next_of(tasks, bobs) is None, "bob was not held"
    for ended, following_one in ((anns[0], anns[1]), (anns[1], anns[2])):
        tasks.end(ended)
        assert next_of(tasks, ended) == following_one
        assert message(tasks, following_one) == following_one
    tasks.end(anns[2])
    assert next_of(tasks, anns[2]) is None


def test_a_round_sends_hints_of_held_tasks_when_slots_are_idle(tasks: Tasks, ann: str) -> None:
    worker(tasks, slots=3, spare=1)
    anns = waiting(tasks, ann, 5)
    for task_id in anns:
        message(tasks, task_id)
    assert sent_by_a_round(tasks) == [], "the user is at the cap"

    tasks.end(anns[0])  # by a worker that dies before it sends the next hint
    assert sent_by_a_round(tasks) == [anns[2]]
    tasks.end(anns[1])
    assert sent_by_a_round(tasks) == [anns[2], anns[3]]
    for task_id in anns[2:]:
        tasks.cancel(task_id)
    assert sent_by_a_round(tasks) == []
    assert sql(tasks.database, "SELECT held FROM turns") == [(False,)]


def test_hints_of_held_tasks_are_not_resent(tasks: Tasks, ann: str, bob: str) -> None:
    worker(tasks, slots=2, spare=1)
    anns = waiting(tasks, ann, 5)
    for task_id in anns:
        message(tasks, task_id)
    (bobs,) = waiting(tasks, bob, 1)
    broker = Broker()

    Dispatcher(broker, lambda _: "taskroom").resend(tasks.connect, everything=True)

    assert broker.sent == [("taskroom", bobs)]


def test_a_message_claims_nothing_of_another_queue(tasks: Tasks, ann: str, bob: str) -> None:
    worker(tasks, slots=3, spare=1)
    outside, ours = waiting(tasks, ann, 3, job_type="outside"), waiting(tasks, bob, 2)

    assert [message(tasks, ours[1]) for _ in range(3)] == [*ours, None]
    assert set(tasks.dispatches()) == set(outside)


def test_a_task_of_an_unknown_type_is_claimed_to_fail_with_a_reason(tasks: Tasks, ann: str) -> None:
    worker(tasks, slots=3, spare=1)
    (unknown,) = waiting(tasks, ann, 1, job_type="from_a_newer_version")

    assert message(tasks, unknown) == unknown


def test_a_claim_whose_commit_was_unclear_is_found_for_any_task(tasks: Tasks, ann: str, bob: str) -> None:
    worker(tasks, slots=3, spare=1)
    anns, (bobs,) = waiting(tasks, ann, 2), waiting(tasks, bob, 1)
    message(tasks, anns[0])
    mine = fair_claim(anns[1])

    @contextmanager
    def unclear() -> Any:
        with tasks.transaction() as tx:
            yield tx
        raise DatabaseUnavailable("the answer to COMMIT is lost")

    with pytest.raises(DatabaseUnavailable):
        mine.claim_fairest(unclear)
    claimed = mine.claim_fairest(tasks.transaction)

    assert claimed is not None and claimed.task_id == bobs
    assert set(tasks.dispatches()) == {anns[1]}


def test_among_more_users_than_one_claim_compares_all_are_claimed(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.tasks.fair_claims.CANDIDATE_USERS", 2)
    all_of_them = [waiting(tasks, tasks.add_user(), 1)[0] for _ in range(7)]

    assert sorted(str(message(tasks, task_id)) for task_id in all_of_them) == sorted(all_of_them)


def test_a_user_behind_many_at_their_cap_is_found(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    """One claim compares a few users from a random one on; always the same ones would keep all others waiting."""
    worker(tasks, slots=2, spare=1)
    *busy, last = sorted(tasks.add_user() for _ in range(4))
    held = [waiting(tasks, user, 2) for user in busy]
    for first, _ in held:
        assert message(tasks, first) == first
    (theirs,) = waiting(tasks, last, 1)
    monkeypatch.setattr("app.tasks.fair_claims.CANDIDATE_USERS", 2)

    monkeypatch.setattr("uuid.uuid4", lambda: uuid.UUID(busy[0]))
    assert message(tasks, held[0][1]) is None
    monkeypatch.setattr("uuid.uuid4", lambda: uuid.UUID(last))
    assert message(tasks, held[0][1]) == theirs


def test_a_claim_among_thousands_reads_the_first_of_each_user(tasks: Tasks, ann: str, bob: str) -> None:
    worker(tasks, slots=3, spare=1)
    (first,) = waiting(tasks, ann, 1)
    waiting(tasks, bob, 1)
    sql(
        tasks.database,
        """WITH s AS (INSERT INTO streams (name) SELECT 'task:' || gen_random_uuid() FROM generate_series(1, 20000)
                      RETURNING id, name),
            t AS (INSERT INTO tasks (id, stream_id, user_id, job_type, title, intent, params, trigger, created_at,
                                     status)
                  SELECT substr(name, 6)::uuid, s.id, user_id, 'emit_load', 'x', 'x', '{}', 'manual', now(), 'PENDING'
                  FROM s, tasks WHERE tasks.id = %s RETURNING id)
           SELECT count(*) FROM t""",
        first,
    )
    sql(
        tasks.database,
        """INSERT INTO dispatches (task_id, number, due_at, next_send_at)
           SELECT id, 1, created_at, created_at FROM tasks
           WHERE NOT EXISTS (SELECT FROM dispatches WHERE task_id = id) RETURNING 1""",
    )
    sql(tasks.database, "ANALYZE dispatches")
    asked = CAP.values(
        queue="taskroom", worker=WORKER, types=["emit_load"], users=100, first=1, start=str(uuid.UUID(int=0))
    )

    with tasks.connect() as conn, conn.cursor() as cur:
        read = rows_visited(cur, "dispatches", _CHOOSE, asked)

    assert len(tasks.dispatches()) == 20_002 and 0 < read < 50
