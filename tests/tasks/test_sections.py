"""The sections of a log as rows, and the numbers of its lines."""

from __future__ import annotations

from typing import Any

from app.stream.event import draft, now, task_stream
from app.tasks.endings import WORKER_LOST
from app.tasks.fold import empty, fold
from app.tasks.logs import logs_after, logs_before
from app.tasks.sections import MOST_SECTIONS
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks, folded


def log(task_id: str, message: str, attempt: int | None = None) -> Any:
    fields = {"timestamp": now(), "level": "INFO", "message": message, "component": None, "phase": None}
    return draft(task_stream(task_id), "log", fields, attempt=attempt, projected=False)


def group(task_id: str, id: str, status: str) -> Any:
    fields = {"timestamp": now(), "group_id": id, "status": status, "name": f"group {id}", "phase": None}
    return draft(task_stream(task_id), "log_group", fields)


def test_rows_equal_the_fold_over_a_retry_and_a_lost_worker(tasks: Tasks) -> None:
    task_id = tasks.started()
    tasks.append([group(task_id, "a", "open"), log(task_id, "x"), group(task_id, "b", "open")])
    tasks.append([group(task_id, "b", "closed")])
    tasks.open_phase(task_id)
    tasks.end(task_id, "RETRY", retry_in=3, retry_count=1, error=WORKER_LOST)
    assert tasks.claim(task_id, 2)
    tasks.append([group(task_id, "c", "open")])
    tasks.expire_lease(task_id, 2)

    state = tasks.state(task_id)

    assert folded(tasks.events(task_id)) == state
    assert [(s["kind"], s["name"]) for s in state["sections"]] == [
        ("attempt", "1"),
        ("group", "group a"),
        ("group", "group b"),
        ("phase", "read"),
        ("attempt", "2"),
        ("group", "group c"),
    ]
    assert all(s["first_sequence"] < s["last_sequence"] for s in state["sections"])
    assert state["sections"][-1]["last_sequence"] == state["sequence"]


def test_sections_are_bounded_and_go_with_their_task(tasks: Tasks) -> None:
    state = empty()
    for sequence in range(1, 2 * MOST_SECTIONS + 10):
        event = {"group_id": "a", "name": "a", "status": "open" if sequence % 2 else "closed"}
        state = fold(state, "log_group", event | {"timestamp": now(), "sequence": sequence})
    assert len(state["sections"]) == MOST_SECTIONS

    task_id = tasks.started()
    sql(tasks.database, "DELETE FROM tasks WHERE id = %s", task_id)
    assert sql(tasks.database, "SELECT count(*) FROM log_sections")[0][0] == 0


def test_each_line_has_its_number_whatever_is_between(tasks: Tasks) -> None:
    task_id = tasks.started()
    tasks.append([log(task_id, "one"), group(task_id, "a", "open"), log(task_id, "two")])
    tasks.open_phase(task_id)
    tasks.end(
        task_id, "RETRY", retry_in=3, retry_count=1, error={"type": "E", "message": "m", "traceback": None}
    )
    assert tasks.claim(task_id, 2)
    tasks.append([log(task_id, "late", attempt=1)])  # refused: it has no number
    tasks.append([log(task_id, "four", attempt=2)])

    with tasks.connect() as connection, connection.cursor() as cur:
        after = logs_after(cur, task_id, 0, 10).logs
        before = logs_before(cur, task_id, None, 2).logs

    assert [(line["line"], line["message"].split("\n")[0]) for line in after] == [
        (1, "one"),
        (2, "two"),
        (3, "E: m"),
        (4, "four"),
    ]
    assert [line["line"] for line in before] == [3, 4]
    assert [e["line"] for e in tasks.events(task_id) if "line" in e] == [1, 2, 3, 4]


def test_lines_of_a_stream_that_was_not_counted_have_no_number(tasks: Tasks) -> None:
    task_id = tasks.started()
    sql(tasks.database, "UPDATE streams SET lines = NULL WHERE name = %s", task_stream(task_id))

    tasks.append([log(task_id, "one")])

    assert "line" not in tasks.events(task_id)[-1]
