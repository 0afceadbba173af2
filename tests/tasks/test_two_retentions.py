"""Two runs of the retention at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.db.persistent import PersistentConnection
from app.stream.event import task_stream
from app.tasks import retention
from app.tasks.retention import prune, prune_batch
from tests.stream.helpers import patient_single
from tests.tasks.helpers import Tasks
from tests.tasks.test_retention import MONTH, finished, kept, prunables


@pytest.fixture
def connect(database: str) -> Iterator[PersistentConnection]:
    connect = patient_single(database)
    yield connect
    connect.close()


def test_of_two_runs_at_a_time_one_does_nothing(tasks: Tasks, connect: PersistentConnection):
    finished(tasks, days_ago=31)
    other = PersistentConnection(tasks.database)
    with other() as conn, conn.cursor() as cur:
        cur.execute("SELECT pg_advisory_lock(%s)", (retention.LOCK_KEY,))
    assert prune(connect, MONTH) == 0
    # Unlocked explicitly: Postgres notices a closed connection only some time later.
    with other() as conn, conn.cursor() as cur:
        cur.execute("SELECT pg_advisory_unlock(%s)", (retention.LOCK_KEY,))
    other.close()
    assert prune(connect, MONTH) > 0
    assert prune(connect, MONTH) == 0, "the lock is free, and no event is left to prune"


def test_a_run_that_read_a_stream_before_another_pruned_it_moves_nothing_back(
    tasks: Tasks, connect: PersistentConnection, monkeypatch: pytest.MonkeyPatch
):
    """A session that ended has lost its advisory lock, and its run may still go on."""
    monkeypatch.setattr(retention, "BATCH_EVENTS", 5)
    stream = task_stream(finished(tasks, days_ago=31))
    (late,), (quick,) = prunables(connect, MONTH), prunables(connect, MONTH)
    while prune_batch(connect, quick, MONTH):
        pass
    pruned = kept(tasks, stream)
    assert pruned[2] == 1, "its end"

    prune_batch(connect, late, MONTH)

    assert kept(tasks, stream) == pruned and prunables(connect, MONTH) == []
