"""The list of notifications, which of them are read, and the number of unread ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.db.persistent import PersistentConnection
from app.errors import NotFound
from app.inbox.store import PAGES, mark_read, page, prune, unread_count, unread_with_sequence
from app.notifications import create_notification
from app.projections import project
from app.stream.event import MAX_SEQUENCE, Event, user_stream
from app.stream.store import Store
from app.stream.transaction import Transaction, Transactions
from tests.stream.helpers import in_threads, patient_single, sql
from tests.support.inbox import fill, notify, unread
from tests.support.plans import rows_visited
from tests.support.servers import Servers
from tests.support.threads import joined
from tests.tasks.helpers import Tasks


def test_pages_continue_where_the_last_one_ended_and_may_hold_only_unread(here: Tasks) -> None:
    ids = [notify(here, f"{n}")["id"] for n in range(5)]

    with here.transaction() as tx:
        mark_read(tx, here.user_id, ids[4])
    with here.connect() as connection, connection.cursor() as cur:
        first = page(cur, here.user_id, None, None, 2)[0]
        rest = page(cur, here.user_id, first[-1]["sequence"], None, 10)[0]
        left = page(cur, here.user_id, None, True, 10)[0]
        done = page(cur, here.user_id, None, False, 10)[0]

    assert [n["title"] for n in first + rest] == ["4", "3", "2", "1", "0"]
    assert [n["title"] for n in left] == ["3", "2", "1", "0"]
    assert [(n["title"], n["read"], n["status"]) for n in done] == [("4", True, "read")]
    assert done[0]["read_at"]


def test_a_notification_of_a_newer_process_is_listed_with_the_mildest_severity(here: Tasks) -> None:
    notify(here, "new")
    sql(here.database, "UPDATE notifications SET notification_type = 'of_tomorrow'")

    with here.connect() as connection, connection.cursor() as cur:
        ((listed,), _) = page(cur, here.user_id, None, None, 10)

    assert (listed["notification_type"], listed["severity"], listed["title"]) == (
        "of_tomorrow",
        "info",
        "new",
    )


@pytest.mark.slow
def test_concurrent_writers_to_one_user_leave_no_gap_and_the_right_count(here: Tasks) -> None:
    """At the same time tasks of the user end, and notifications are created, marked as read and counted."""
    faults: list[Exception] = []
    counted: list[tuple[int, int]] = []

    def work(number: int) -> None:
        tasks = Tasks(here.database)
        tasks.user_id = here.user_id
        try:
            for n in range(25):
                if number == 0:
                    task_id = tasks.started()
                    tasks.end(task_id)
                elif number == 1:
                    with tasks.transaction() as tx:
                        mark_read(tx, here.user_id)
                elif number == 2:
                    with tasks.connect() as connection, connection.cursor() as cur:
                        counted.append(unread_with_sequence(cur, here.user_id))
                else:
                    create_notification(here.user_id, f"{number}.{n}", "")
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    joined(*threads)

    assert not faults
    events = Store(here.connect).after(user_stream(here.user_id), 0, 10_000)
    ((last,),) = sql(here.database, "SELECT last_seq FROM streams WHERE name = %s", user_stream(here.user_id))
    assert [e.sequence for e in events] == list(range(1, last + 1))
    with here.connect() as connection, connection.cursor() as cur:
        assert unread(here) == len(page(cur, here.user_id, None, True, 1_000)[0])
        counted.append(unread_with_sequence(cur, here.user_id))
    assert counted == [(unread_as_of(events, sequence), sequence) for _, sequence in counted]


def unread_as_of(events: list[Event], sequence: int) -> int:
    """Returns the number of unread notifications of a client that has received the stream up to the sequence."""
    count = 0
    for event in events[:sequence]:
        if event.type == "notification":
            count += 1
        elif event.type == "notifications_read":
            count = event.decoded()["unread_count"]
    return count


def test_all_are_read_by_one_mark_and_keep_the_time_at_which_they_were(here: Tasks) -> None:
    def read(id: str | None = None) -> int:
        with here.transaction() as tx:
            return mark_read(tx, here.user_id, id)

    alone, first = notify(here)["id"], notify(here)["id"]
    counts = [read(alone), read(), read()]
    second, last = notify(here)["id"], notify(here)["id"]
    counts += [read(first), read(last)]
    before = {n["id"]: n["read_at"] for n in shown(here)}
    counts += [read(), read(second)]
    third = notify(here)["id"]

    assert counts == [1, 0, 0, 2, 1, 0, 0]
    after = {n["id"]: n["read_at"] for n in shown(here)}
    assert before[alone] < before[first] < before[last] and before[second] is None
    assert after == {**before, second: after[second], third: None} and after[second] > before[last]
    assert [n["id"] for n in shown(here, True)] == [third]
    assert [n["id"] for n in shown(here, False)] == [last, second, first, alone]
    assert {n["status"] for n in shown(here, False)} == {"read"}
    assert sql(here.database, "SELECT count(*) FROM notifications WHERE read_at IS NULL") == [(3,)]
    marks = [
        e for e in Store(here.connect).after(user_stream(here.user_id), 0) if e.type == "notifications_read"
    ]
    assert [e.decoded()["unread_count"] for e in marks] == [1, 0, 1, 0]


def test_old_notifications_are_deleted_and_not_counted(here: Tasks) -> None:
    ids = [notify(here)["id"] for _ in range(2)]
    with here.transaction() as tx:
        mark_read(tx, here.user_id)
    ids += [notify(here)["id"] for _ in range(3)]
    with here.transaction() as tx:
        mark_read(tx, here.user_id, ids[2])
    sql(
        here.database,
        "UPDATE notifications SET created_at = now() - interval '31 days' WHERE id = ANY(%s::uuid[])",
        ids[:4],
    )
    sql(here.database, "UPDATE read_marks SET read_at = now() - interval '31 days'")

    assert prune(here.connect, 30) == 4

    assert [n["id"] for n in shown(here)] == [ids[4]] and unread(here) == 1
    assert sql(here.database, "SELECT 1 FROM read_marks") == [], "no notification is left below the mark"
    assert prune(here.connect, 30) == 0


def test_a_mark_stays_while_anything_is_read_by_it(here: Tasks) -> None:
    notify(here)
    with here.transaction() as tx:
        mark_read(tx, here.user_id)
    sql(here.database, "UPDATE read_marks SET read_at = now() - interval '31 days'")

    prune(here.connect, 30)

    assert [n["read"] for n in shown(here)] == [True]


def test_pruning_skips_locked_users_and_counts_reads_right(here: Tasks) -> None:
    other = Tasks(here.database)
    for tasks in (here, other):
        notify(tasks), notify(tasks)
    sql(here.database, "UPDATE notifications SET created_at = now() - interval '31 days'")

    with patient_single(here.database)() as connection, connection.cursor() as cur:
        mark_read(Transaction(cur, project), here.user_id)
        assert prune(PersistentConnection(here.database), 30) == 2, "the other's"
    assert prune(here.connect, 30) == 2

    assert unread(here) == unread(other) == 0


@pytest.mark.slow
def test_readers_writers_and_two_prunings_at_once_leave_the_right_count(here: Tasks) -> None:
    users = [Tasks(here.database) for _ in range(3)]
    for tasks in users:
        fill(lambda statement, values: sql_named(here.database, statement, values), tasks.user_id, 300)
    sql(here.database, "UPDATE notifications SET created_at = now() - interval '31 days'")
    ids = sql(here.database, "SELECT user_id::text, id::text FROM notifications")

    def reads() -> None:
        begin = Transactions(PersistentConnection(here.database), project, lambda appended: None)
        for user_id, id in ids[::7]:
            try:
                with begin() as tx:
                    mark_read(tx, user_id, id)
            except NotFound:
                pass  # pruned meanwhile

    def reads_all() -> None:
        begin = Transactions(PersistentConnection(here.database), project, lambda appended: None)
        for tasks in users * 3:
            with begin() as tx:
                mark_read(tx, tasks.user_id)

    def writes() -> None:
        for tasks in users * 5:
            create_notification(tasks.user_id, "new", "")

    def prunes() -> None:
        for _ in range(5):
            prune(PersistentConnection(here.database), 30)

    in_threads([prunes, reads, prunes, reads_all, writes, writes])
    prune(here.connect, 30)

    for tasks in users:
        assert unread(tasks) == len(shown(tasks, True)) <= 10 and len(shown(tasks)) == 10


@pytest.fixture(scope="module")
def crowded(servers: Servers) -> Iterator[Tasks]:
    """Makes a user with a hundred thousand unread notifications."""
    with servers.database() as database:
        tasks = Tasks(database)
        tasks.connect = patient_single(database)  # so many rows take a while
        fill(lambda statement, values: sql_named(database, statement, values), tasks.user_id, 100_000)
        sql(database, "ANALYZE")
        yield tasks
        tasks.connect.close()


@pytest.mark.slow
def test_pages_of_a_hundred_thousand_are_ranges_of_an_index(crowded: Tasks) -> None:
    """With none read, with few, with all but few, with all by a mark, and with all one by one."""
    newest, oldest = "sequence > 99997", "sequence < 4"
    states = {
        "none is read": "SELECT 1",
        "the oldest few are": f"UPDATE notifications SET read_at = now() WHERE {oldest}",
        "the newest few are": f"UPDATE notifications SET read_at = now() WHERE {newest}",
        "all are, by a mark": "INSERT INTO read_marks SELECT id, 99000, now() FROM users",
        "all but the oldest few are": f"UPDATE notifications SET read_at = now() WHERE NOT {oldest}",
        "all are": "UPDATE notifications SET read_at = now()",
    }
    for state, change in states.items():
        with crowded.connect() as connection, connection.cursor() as cur:
            cur.execute(change)
            cur.execute("ANALYZE notifications, read_marks")
            for unread, statement in PAGES.items():
                for before in (MAX_SEQUENCE, 50_000):
                    values = {
                        "user": crowded.user_id,
                        "before": before,
                        "more": 51,
                        "limit": 50,
                        "bytes": 10**6,
                    }
                    asked = statement.text, statement.values(**values)
                    visited = rows_visited(cur, "notifications", *asked)
                    assert visited <= 4 * 51, f"{state}, unread={unread}, before {before}: {visited} rows"
            connection.rollback()


def test_a_hundred_thousand_are_read_by_one_row(crowded: Tasks) -> None:
    user_id = crowded.user_id

    with crowded.connect() as connection, connection.cursor() as cur:

        def written() -> list[tuple[int, int]]:
            cur.execute("SELECT count(*), max(xmin::text::bigint) FROM notifications")
            return cur.fetchall()

        before = written()
        left = mark_read(Transaction(cur, project), user_id)
        after, count = written(), unread_count(cur, user_id)
        newest, rest = page(cur, user_id, None, None, 50)[0], page(cur, user_id, None, True, 50)[0]
        connection.rollback()  # other tests need all of them unread

    assert left == count == 0 and before == after
    assert {n["read"] for n in newest} == {True} and rest == []


def shown(tasks: Tasks, unread: bool | None = None, limit: int = 1_000) -> list[dict[str, Any]]:
    with tasks.connect() as connection, connection.cursor() as cur:
        return page(cur, tasks.user_id, None, unread, limit)[0]


def sql_named(database: str, statement: str, values: dict[str, Any]) -> None:
    with patient_single(database)() as connection, connection.cursor() as cur:
        cur.execute(statement, values)
