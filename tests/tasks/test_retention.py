"""Pruning: by age and by number, in batches, and without keeping others waiting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from app.db.persistent import PersistentConnection
from app.stream.event import draft, task_stream
from app.stream.resync import Resync
from app.stream.store import Store, open_stream
from app.tasks import retention
from app.tasks.retention import Prunable, Retention, prunable, prune, prune_batch
from app.tasks.snapshot import current_events, snapshot
from tests.stream.helpers import appended, in_threads, line, patient_single, sql
from tests.tasks.helpers import Tasks

LONG_AGO = "2020-01-02T03:04:05.000006Z"
MONTH = Retention(days=30, events=0)
HUNDRED = Retention(days=0, events=100)


@pytest.fixture
def connect(database: str) -> Any:
    connect = patient_single(database)
    yield connect
    connect.close()


def finished(tasks: Tasks, lines: int = 20, days_ago: int = 0) -> str:
    """Creates a task with this number of log lines that ended so many days ago."""
    task_id = tasks.started()
    for start in range(0, lines, 1000):
        tasks.append(
            [line(task_stream(task_id), str(n), attempt=1) for n in range(start, min(start + 1000, lines))]
        )
    tasks.end(task_id)
    sql(
        tasks.database,
        "UPDATE tasks SET finished_at = finished_at - make_interval(days => %s) WHERE id = %s",
        *(days_ago, task_id),
    )
    return task_id


def kept(tasks: Tasks, stream: str) -> tuple[int, int, int]:
    """Returns (pruned_to, last_seq, events) and checks that exactly the events after ``pruned_to`` are stored."""
    pruned_to, last_seq, sequences = sql(
        tasks.database,
        """SELECT pruned_to, last_seq, array_remove(array_agg(seq ORDER BY seq), NULL) FROM streams
           LEFT JOIN events ON stream_id = streams.id WHERE name = %s GROUP BY streams.id""",
        stream,
    )[0]
    assert sequences == list(range(pruned_to + 1, last_seq + 1))
    return pruned_to, last_seq, len(sequences)


def prunables(connect: PersistentConnection, keep: Retention) -> Sequence[Prunable]:
    return list(prunable(connect, keep))


def test_the_last_event_of_a_task_that_ended_long_ago_stays(tasks: Tasks, connect: PersistentConnection):
    old, young, running = finished(tasks, days_ago=31), finished(tasks, days_ago=29), tasks.started()
    before = snapshot(connect, old)
    assert before is not None

    gone = prune(connect, MONTH)

    pruned_to, last_seq, events = kept(tasks, task_stream(old))
    assert (pruned_to, events, gone) == (last_seq - 1, 1, last_seq - 1)
    assert [e["status"] for e in tasks.events(old)] == ["SUCCESS"], "the last event still names the end"
    assert kept(tasks, task_stream(young))[0] == 0
    assert kept(tasks, task_stream(running))[0] == 0
    after = snapshot(connect, old)
    assert after == before | {"recent_logs": []}
    shown, sequence = current_events(connect, task_stream(old))
    assert ([e.type for e in shown], sequence) == (["task_status"], last_seq)


def test_the_newest_events_of_a_long_task_stay_when_it_has_ended(tasks: Tasks, connect: PersistentConnection):
    ended, running = finished(tasks, lines=300), tasks.started()
    tasks.append([line(task_stream(running), str(n), attempt=1) for n in range(300)])

    prune(connect, HUNDRED)

    pruned_to, last_seq, events = kept(tasks, task_stream(ended))
    assert (events, pruned_to) == (100, last_seq - 100)
    assert kept(tasks, task_stream(running))[0] == 0
    assert prune(connect, HUNDRED) == 0, "the first run pruned all"
    tasks.end(running)
    assert prune(connect, HUNDRED) > 200


def test_a_statement_reads_a_page_of_streams_and_a_run_all_wherever_it_begins(
    tasks: Tasks, connect: PersistentConnection, monkeypatch: pytest.MonkeyPatch
):
    old = [finished(tasks, lines=1, days_ago=31 if n % 3 == 0 else 0) for n in range(10)][::3]
    monkeypatch.setattr(retention, "PAGE_STREAMS", 2)
    ((expected, last),) = sql(
        tasks.database,
        "SELECT array_agg(id ORDER BY id) FILTER (WHERE name = ANY(%s)), max(id) FROM streams",
        [task_stream(task_id) for task_id in old],
    )
    looks: list[int] = []

    def counting() -> Any:
        looks.append(1)
        return connect()

    for start in (0, expected[1], last):
        found = prunable(counting, MONTH, start)
        assert sorted(stream.id for stream in found) == expected
    assert len(looks) >= 3 * (last // 2), "a page each"


def test_zero_keeps_everything_for_ever(tasks: Tasks, connect: PersistentConnection):
    old = finished(tasks, lines=300, days_ago=10_000)

    assert prune(connect, Retention(0, 0)) == 0
    assert kept(tasks, task_stream(old))[0] == 0


def test_streams_of_users_are_pruned_event_by_event(tasks: Tasks, connect: PersistentConnection):
    with connect() as conn, conn.cursor() as cur:
        for stream in ("user:a", "user:b", "broadcast"):
            open_stream(cur, stream)
    old = [draft("user:a", "notice", {"timestamp": LONG_AGO, "n": n}, projected=False) for n in range(7)]
    appended(connect, old + [line("user:a", "new")])
    appended(connect, [draft("broadcast", "notice", {"timestamp": LONG_AGO}, projected=False)])
    appended(connect, [line("user:b", str(n)) for n in range(150)])

    assert prune(connect, Retention(days=30, events=100)) == 7 + 1 + 50

    assert kept(tasks, "user:a") == (7, 8, 1)
    assert kept(tasks, "broadcast") == (1, 1, 0)
    assert kept(tasks, "user:b") == (50, 150, 100)
    appended(connect, [line("broadcast", "goes on")])
    assert kept(tasks, "broadcast") == (1, 2, 1)


def test_a_huge_task_is_pruned_in_batches_each_a_transaction(
    tasks: Tasks, connect: PersistentConnection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retention, "BATCH_EVENTS", 50)
    task_id = finished(tasks, lines=110, days_ago=31)
    (stream,) = prunables(connect, MONTH)
    seen = []

    while prune_batch(connect, stream, MONTH) == 50:
        seen.append(kept(tasks, task_stream(task_id))[0])

    assert seen == [50, 100]
    pruned_to, last_seq, _ = kept(tasks, task_stream(task_id))
    assert pruned_to == last_seq - 1
    assert prunables(connect, MONTH) == [], "the stream is not read again"


def test_a_run_that_is_killed_in_the_middle_is_finished_by_the_next(
    tasks: Tasks, connect: PersistentConnection, monkeypatch: pytest.MonkeyPatch
):
    task_id, original, batches = finished(tasks, lines=50, days_ago=31), retention._target, []
    monkeypatch.setattr(retention, "BATCH_EVENTS", 10)

    def dies(cur: Any, *rest: Any) -> int:
        batches.append(1)
        if len(batches) == 3:  # after the deletes of this transaction, as a kill -9 would
            cur.execute("DELETE FROM events WHERE stream_id = %s AND seq <= 30", (rest[0].id,))
            sql(tasks.database, "SELECT pg_terminate_backend(%s)", cur.connection.get_backend_pid())
        return original(cur, *rest)

    monkeypatch.setattr(retention, "_target", dies)
    with pytest.raises(Exception, match=r"."):
        prune(connect, MONTH)
    assert kept(tasks, task_stream(task_id))[0] == 20, "only whole batches are deleted"

    assert prune(connect, MONTH) > 0
    pruned_to, last_seq, _ = kept(tasks, task_stream(task_id))
    assert pruned_to == last_seq - 1


def test_it_stops_when_its_time_is_over_and_goes_on_the_next_time(
    tasks: Tasks, connect: PersistentConnection, monkeypatch: pytest.MonkeyPatch
):
    finished(tasks, lines=50, days_ago=31)
    monkeypatch.setattr(retention, "BATCH_EVENTS", 10)

    assert prune(connect, MONTH, seconds=0) == 0
    assert prune(connect, MONTH) > 50


def test_a_run_begins_at_a_random_stream_so_that_short_runs_prune_all(
    tasks: Tasks, connect: PersistentConnection, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(3):
        finished(tasks, days_ago=31)
    first, second, third = (stream.id for stream in prunables(connect, MONTH))
    seen: list[int] = []
    monkeypatch.setattr(retention, "prune_batch", lambda connect, stream, keep: seen.append(stream.id) or 0)

    for start in (0, first, second):
        monkeypatch.setattr("random.randint", lambda low, high, start=start: start)
        prune(connect, MONTH)

    assert seen == [first, second, third, second, third, first, third, first, second]


def test_a_stream_that_a_writer_has_locked_is_skipped(tasks: Tasks, connect: PersistentConnection):
    task_id = finished(tasks, days_ago=31)
    writer = patient_single(tasks.database)
    with writer() as conn, conn.cursor() as cur:
        cur.execute("SELECT FROM streams WHERE name = %s FOR NO KEY UPDATE", (task_stream(task_id),))
        assert prune(connect, MONTH) == 0, "pruning does not wait"
        assert kept(tasks, task_stream(task_id))[0] == 0, "the batch is rolled back"
    writer.close()
    assert prune(connect, MONTH) > 0


def test_a_writer_never_waits_while_events_are_deleted(
    tasks: Tasks, connect: PersistentConnection, monkeypatch: pytest.MonkeyPatch
):
    """Writes between the deletes and the lock, where a batch spends nearly all of its time."""
    with connect() as conn, conn.cursor() as cur:
        open_stream(cur, "user:a")
    appended(connect, [line("user:a", str(n)) for n in range(300)])
    original = retention._target
    writer = patient_single(tasks.database)

    def slow(cur: Any, *rest: Any) -> int:
        target = original(cur, *rest)
        cur.execute("DELETE FROM events WHERE stream_id = %s AND seq <= %s", (rest[0].id, target))
        appended(writer, [line("user:a", "not delayed")])  # DatabaseUnavailable when it has to wait
        return target

    monkeypatch.setattr(retention, "_target", slow)
    assert prune(connect, HUNDRED) == 200
    writer.close()

    assert kept(tasks, "user:a") == (200, 301, 101)


def test_writers_and_pruning_at_the_same_time_leave_no_gap(tasks: Tasks, connect: PersistentConnection):
    with connect() as conn, conn.cursor() as cur:
        open_stream(cur, "user:busy")

    def write() -> None:
        writer = PersistentConnection(tasks.database)
        for n in range(60):
            appended(writer, [line("user:busy", str(n)) for _ in range(10)])
        writer.close()

    def cut() -> None:
        cutter = PersistentConnection(tasks.database)
        for _ in range(60):
            prune(cutter, Retention(days=0, events=50))
        cutter.close()

    in_threads([write, write, cut, cut], 120)

    _, last_seq, events = kept(tasks, "user:busy")
    assert last_seq == 1200 and events >= 50


def test_many_streams_are_taken_page_by_page(
    tasks: Tasks, connect: PersistentConnection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retention, "PAGE_STREAMS", 2)
    old = [finished(tasks, days_ago=31) for _ in range(5)]

    prune(connect, MONTH)

    assert all(kept(tasks, task_stream(task_id))[2] == 1 for task_id in old)


def test_a_cursor_into_pruned_events_gets_the_oldest_sequence(tasks: Tasks, connect: PersistentConnection):
    task_id = finished(tasks, days_ago=31)
    prune(connect, MONTH)
    store, stream = Store(connect), task_stream(task_id)
    head = store.heads([stream])[stream]

    assert store.after(stream, 3) == [], "no events from after the gap"
    assert Resync.of(stream, 3, head.pruned_to, head.last_seq) == Resync(
        stream, "pruned", head.last_seq, head.last_seq
    )
    assert [e.sequence for e in store.after(stream, head.pruned_to)] == [head.last_seq]
