"""Three hundred runs are cancelled at once while twenty people watch."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.tasks.fold import TERMINAL
from tests.support.bulk import ask
from tests.support.held import held
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer

pytestmark = pytest.mark.slow

RUNS, VIEWERS = 300, 10  # viewers of each kind


def ends(viewer: Viewer) -> list[tuple[str, str]]:
    """The runs that ended before its eyes, each with its status."""
    return [
        (event["task_id"], event["status"])
        for event in list(viewer.events)
        if event["type"] == "status_changed" and event["status"] in TERMINAL
    ]


def test_each_ends_once_before_all_and_the_list_agrees_with_the_rows(
    system: System, user: User, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        blocking = [stack.enter_context(held(user, tmp_path)) for _ in range(2)]
        for run in blocking:
            wait_for(
                "the slots of the user to be taken", lambda run=run: user.status(run.id)["task"]["is_running"]
            )
        waiting = [user.start("test_echo", text=str(n)) for n in range(RUNS)]
        viewers: list[Viewer] = []
        for kind in (SseViewer, SocketViewer):
            for _ in range(VIEWERS):
                viewer = kind(system.url, user, "", room="events")
                stack.callback(viewer.close)
                viewer.open()
                viewers.append(viewer)
        wait_for("all to watch", lambda: all(viewer.is_open for viewer in viewers))

        bulk = ask(user, "cancel", filter={"status": "PENDING", "job_type": "test_echo"})
        result = user.finished(bulk)["task"]["result"]
        for run in blocking:
            run.let_go()
            user.finished(run.id)

        assert (result["runs"], result["cancelled"]) == (RUNS, RUNS)
        expected = Counter({(task_id, "REVOKED"): 1 for task_id in waiting})
        expected.update({(task_id, "SUCCESS"): 1 for task_id in (bulk, *(run.id for run in blocking))})
        for viewer in viewers:
            wait_for("each end", lambda viewer=viewer: len(ends(viewer)) >= RUNS + 3)
            assert Counter(ends(viewer)) == expected
            assert viewer.sequences == list(range(viewer.sequences[0], viewer.sequences[-1] + 1))
    terminal = system.sql(
        """SELECT tasks.id::text, count(*) FROM tasks JOIN events ON events.stream_id = tasks.stream_id
           WHERE tasks.id = ANY(%s::uuid[]) AND type = 'task_status' AND payload::json ->> 'status' = 'REVOKED'
           GROUP BY 1""",
        waiting,
    )
    assert dict(terminal) == dict.fromkeys(waiting, 1)
    rows = dict(system.sql("SELECT status, count(*) FROM tasks WHERE user_id = %s GROUP BY 1", user.id))
    assert rows == {"REVOKED": RUNS, "SUCCESS": 3}
    counts = user.get("tasks/counts")["counts"]
    assert {status: number for status, number in counts.items() if number} == rows
    others = bulk, *(run.id for run in blocking)
    assert listed(user) == dict.fromkeys(waiting, "REVOKED") | dict.fromkeys(others, "SUCCESS")


def listed(user: User) -> dict[str, str]:
    """The status of each run in all pages of the list."""
    found: dict[str, str] = {}
    query: dict[str, object] = {"limit": 200}
    while True:
        page = user.get("tasks", **query)
        found |= {task["task_id"]: task["status"] for task in page["tasks"]}
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]
