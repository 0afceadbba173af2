"""A task whose events were pruned, seen from everywhere."""

from __future__ import annotations

import pytest

from app.db.persistent import PersistentConnection
from app.tasks.retention import Retention, prune
from tests.realtime.conftest import Open
from tests.support.system import System, User

pytestmark = pytest.mark.slow


@pytest.fixture
def pruned(system: System, user: User) -> tuple[str, int]:
    """A task of which only the last event is kept, and its last sequence."""
    task_id = user.start("test_phases", count=30)
    last = user.finished(task_id)["sequence"]
    system.sql("UPDATE tasks SET finished_at = now() - interval '31 days' WHERE id = %s", task_id)
    connect = PersistentConnection(system.database_url)
    prune(connect, Retention(days=30, events=0))
    connect.close()
    return task_id, last


def test_a_viewer_is_told_the_oldest_kept_then_how_it_ended(
    user: User, pruned: tuple[str, int], watch: Open
) -> None:
    task_id, last = pruned
    viewer = watch(user, task_id, 3)

    resync = viewer.control("resync")
    assert viewer.control("end")["status"] == "SUCCESS"

    assert (resync["reason"], resync["oldest"], resync["head"]) == ("pruned", last, last)
    assert [(e["sequence"], e.get("status")) for e in viewer.events] == [(last, "SUCCESS")]


def test_the_oldest_kept_cursor_is_answered_exactly(user: User, pruned: tuple[str, int], watch: Open) -> None:
    task_id, last = pruned
    viewer = watch(user, task_id, last - 1)

    viewer.control("end")

    assert viewer.sequences == [last]
    assert not [kind for kind, _, _ in viewer.controls if kind == "resync"]


def test_pages_say_what_is_gone_and_come_to_an_end(user: User, pruned: tuple[str, int]) -> None:
    task_id, last = pruned

    events = user.get(f"tasks/{task_id}/events")
    forward = user.get(f"tasks/{task_id}/logs", since_sequence=0)
    backward = user.get(f"tasks/{task_id}/logs")

    gone = {"stream": f"task:{task_id}", "reason": "pruned", "oldest": last, "head": last}
    assert (events["resync"], forward["resync"]) == (gone, gone)
    assert [e["sequence"] for e in events["events"]] == [last]
    assert not (events["has_more"] or forward["has_more"] or backward["has_more"])
    assert forward["logs"] == backward["logs"] == []
    assert user.client.get(f"/api/v2/tasks/{task_id}/logs/download").text == ""


def test_its_snapshot_is_whole_and_it_can_be_run_again(user: User, pruned: tuple[str, int]) -> None:
    task_id, last = pruned

    snapshot = user.status(task_id)
    again = user.client.post(f"/api/v2/tasks/{task_id}/retry")

    assert (snapshot["sequence"], snapshot["task"]["status"]) == (last, "SUCCESS")
    assert [phase["processed_count"] for phase in snapshot["phases"]] == [30, 30]
    assert snapshot["recent_logs"] == []
    assert again.status_code == 202
    assert user.finished(again.json()["task_id"])["task"]["params"] == snapshot["task"]["params"]
