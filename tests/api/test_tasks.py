from __future__ import annotations

import uuid

from tests.support.system import System, User


def test_the_list_is_newest_first_and_the_callers_own(user: User, other: User) -> None:
    made = [user.start("test_echo") for _ in range(3)]
    other.start("test_echo")

    page = user.get("tasks")

    assert [task["task_id"] for task in page["tasks"]] == made[::-1]
    assert page["next"] is None
    # What may be large stands in a task's own snapshot, and what other tasks say in a list.
    own = user.status(made[0])["task"].keys() - {"params", "result", "usual"}
    assert page["tasks"][0].keys() == own | {
        "failed_below",
        "waiting_below",
        "tasks_below",
        "owner",
        "phases",
        "error_count",
        "error_lines",
    }


def test_pages_have_no_gap_and_no_repeat_while_new_tasks_come_in(user: User) -> None:
    made = [user.start("test_echo") for _ in range(7)]
    seen: list[str] = []
    address = "/api/v2/tasks?limit=2&job_type=test_echo"
    while address:
        answer = user.client.get(address)
        seen += [task["task_id"] for task in answer.json()["tasks"]]
        user.start("test_echo")
        link = answer.links.get("next")
        assert bool(link) == bool(answer.json()["next"])
        address = link["url"] if link else ""
        assert not link or {"limit=2", "job_type=test_echo"} <= set(address.partition("?")[2].split("&"))

    assert seen == made[::-1]


def test_pages_part_tasks_of_the_same_moment(system: System, user: User) -> None:
    made = [user.start("test_echo") for _ in range(4)]
    system.sql("UPDATE tasks SET created_at = '2020-01-01' WHERE user_id = %s", user.id)

    first = user.get("tasks", limit=3)
    second = user.get("tasks", limit=3, cursor=first["next"])

    assert sorted(task["task_id"] for task in first["tasks"] + second["tasks"]) == sorted(made)


def test_filters_narrow_the_list(system: System, user: User) -> None:
    echo, failed = user.start("test_echo"), user.start("test_fail")
    user.finished(echo), user.finished(failed)
    system.sql("UPDATE tasks SET parent_id = %s WHERE id = %s", echo, failed)

    def ids(**filters: str) -> list[str]:
        return [task["task_id"] for task in user.get("tasks", **filters)["tasks"]]

    assert ids(status="SUCCESS") == [echo]
    assert ids(status="REVOKED") == []
    assert ids(job_type="test_fail") == [failed]
    assert ids(parent_id=echo) == [failed]
    assert ids(parent_id=echo, status="SUCCESS") == []
    assert ids(parent_id=str(uuid.uuid4())) == []


def test_the_snapshot_is_the_task_as_of_its_sequence(user: User) -> None:
    task_id = user.start("test_phases", count=6)

    found = user.finished(task_id)

    assert found.keys() == {*("task", "phases", "sections", "recent_logs", "celery", "approval", "sequence")}
    assert found["sequence"] == user.events(task_id)[-1]["sequence"]
    assert [(p["phase_id"], p["processed_count"], p["error_count"]) for p in found["phases"]] == [
        ("first", 6, 2),
        ("second", 6, 0),
    ]
    assert found["celery"]["state"] == found["task"]["status"] == "SUCCESS"
    assert found["task"]["progress"] == 100


def test_events_are_dense_and_pages_join(user: User) -> None:
    task_id = user.start("test_phases", count=20)
    user.finished(task_id)
    whole = user.events(task_id)

    joined, address = [], f"/api/v2/tasks/{task_id}/events?limit=3"
    while address:
        answer = user.client.get(address)
        joined += answer.json()["events"]
        address = answer.links["next"]["url"] if answer.json()["has_more"] else ""

    assert joined == whole
    assert [event["sequence"] for event in whole] == list(range(1, len(whole) + 1))
    for event in whole:
        assert event.keys() == {"sequence", "type", "timestamp", "data"}
        assert event["data"]["sequence"] == event["sequence"]
        assert event["data"]["stream"] == f"task:{task_id}"
        assert event["timestamp"] == event["data"]["timestamp"]
    last = user.get(f"tasks/{task_id}/events", since_sequence=len(whole))
    assert last == {"events": [], "next_sequence": len(whole), "has_more": False}


def test_a_cursor_that_cannot_be_answered_says_why(system: System, user: User) -> None:
    task_id = user.start("test_phases")
    head = user.finished(task_id)["sequence"]

    beyond = user.get(f"tasks/{task_id}/events", since_sequence=head + 1)["resync"]
    system.sql("UPDATE streams SET pruned_to = 2 WHERE name = %s", f"task:{task_id}")
    pruned = user.get(f"tasks/{task_id}/events", since_sequence=1)

    assert (beyond["reason"], beyond["oldest"], beyond["head"]) == ("beyond_head", 1, head)
    assert (pruned["resync"]["reason"], pruned["resync"]["oldest"]) == ("pruned", 3)
    assert pruned["events"][0]["sequence"] == 3
