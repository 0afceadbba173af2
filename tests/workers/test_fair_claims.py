"""One user's hundred steps, and somebody else: over a worker that was asked for two slots."""

from __future__ import annotations

from pathlib import Path

from tests.support.system import System, User, wait_for
from tests.tasks.helpers import Tasks


def statuses(system: System, parent: str) -> dict[str, int]:
    """How many of its steps have which status."""
    return dict(system.sql("SELECT status, count(*) FROM tasks WHERE parent_id = %s GROUP BY status", parent))


def test_a_hundred_steps_that_do_not_end_keep_nobody_else_waiting(
    system: System, user: User, other: User, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    step = {"job_type": "test_gated", "params": {"gate": str(gate), "rate": 5}}
    whole = user.start("orchestrate", steps=[step] * 100, mode="parallel")
    wait_for("as many as may to run", lambda: statuses(system, whole).get("STARTED") == 2)

    for _ in range(3):
        assert other.finished(other.start("test_echo"))["task"]["status"] == "SUCCESS"
    meanwhile = statuses(system, whole)
    gate.touch()

    assert meanwhile == {"STARTED": 2, "PENDING": 98}
    assert user.finished(whole, 300)["task"]["status"] == "SUCCESS", "none of them is forgotten"


def test_a_hundred_short_steps_and_somebody_elses_take_turns(
    system: System, user: User, other: User, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gated = {"job_type": "test_gated", "params": {"gate": str(gate), "rate": 5}}
    short = {"job_type": "test_echo", "params": {"text": "x"}}
    before = other.start("test_gated", gate=str(gate), rate=5)
    wait_for("the spare slot to be taken", lambda: other.status(before)["task"]["is_running"])
    whole = user.start("orchestrate", steps=[gated] * 2 + [short] * 98, mode="parallel")
    wait_for("all others to be taken", lambda: statuses(system, whole).get("STARTED") == 2)
    theirs = [other.start("test_echo") for _ in range(3)]

    gate.touch()
    for task_id in theirs:
        other.finished(task_id)
    assert user.finished(whole, 300)["task"]["status"] == "SUCCESS"

    places = [
        task_id
        for (task_id,) in system.sql(
            """SELECT id::text FROM tasks WHERE (parent_id = %s OR id = ANY(%s::uuid[]))
               ORDER BY started_at""",
            *(whole, theirs),
        )
    ]
    # Without turns they would come after all hundred. Some of these may start before the spare slot sees its gate.
    assert max(places.index(task_id) for task_id in theirs) < 60


def test_what_was_let_go_and_nobody_has_sent_since_is_sent_by_a_round(system: System) -> None:
    """As when the worker that was to send it has died."""
    tasks = Tasks(system.database_url)
    task_id = tasks.create(job_type="test_echo", params={"text": "x"})
    system.sql(
        # In the order of the product, which may send the task at this moment.
        """INSERT INTO turns (user_id, held) VALUES (%s, true) ON CONFLICT (user_id) DO UPDATE SET held = true;
           UPDATE dispatches SET next_send_at = now() + interval '1 hour' WHERE task_id = %s""",
        *(tasks.user_id, task_id),
    )
    tasks.connect.close()

    wait_for(
        "its end",
        lambda: system.sql("SELECT status FROM tasks WHERE id = %s", task_id) == [("SUCCESS",)],
    )
