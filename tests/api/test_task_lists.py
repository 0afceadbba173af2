"""Searching the list of tasks, and counting it by status."""

from __future__ import annotations

import json
import uuid

import pytest

from app.tasks.fold import STATUSES
from tests.api.answers import problem
from tests.support.frames import Frames
from tests.support.system import System, User


def named(user: User, title: str, job_type: str = "test_echo") -> str:
    answer = user.client.post("/api/v2/agent/start", json={"job_type": job_type, "title": title})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


def ids(user: User, **query: str) -> list[str]:
    return [task["task_id"] for task in user.get("tasks", **query)["tasks"]]


def counted(user: User, **query: str) -> dict[str, int]:
    """Without the zeros."""
    counts: dict[str, int] = user.get("tasks/counts", **query)["counts"]
    assert set(counts) == set(STATUSES)
    return {status: number for status, number in counts.items() if number}


def test_a_search_matches_title_job_type_and_the_beginning_of_the_id(user: User, other: User) -> None:
    import_, report = named(user, "Nightly IMPORT of Zürich"), named(user, "Report", "test_phases")
    named(other, "Import of somebody else")

    assert ids(user, q="import") == [import_]
    assert ids(user, q="zÜRICH") == [import_]
    assert ids(user, q="PHASES") == [report]
    assert ids(user, q="test_") == [report, import_]
    assert ids(user, q=report[:13].upper()) == [report]
    assert ids(user, q=report[1:13]) == []
    assert ids(user, q="import", job_type="test_phases") == []
    assert ids(user, q="") == [report, import_], "left empty is not given"


@pytest.mark.parametrize("text", ["%", "_", "\\", "100%", "a_b", "'; --"])
def test_a_search_is_literal(user: User, text: str) -> None:
    plain, holding = (
        named(user, "100 axb", "test_fail"),
        named(user, f"The text {text} in a title", "test_fail"),
    )

    assert ids(user, q=f"xt {text} ") == [holding]
    assert plain not in ids(user, q=text) or text == "_", "the job type has one"


def test_a_search_has_pages(user: User) -> None:
    made = [named(user, "Import" if n % 2 else "Report") for n in range(6)][1::2]

    first = user.client.get("/api/v2/tasks?q=import&limit=2")
    second = user.client.get(first.links["next"]["url"])

    found = [task["task_id"] for answer in (first, second) for task in answer.json()["tasks"]]
    assert found == made[::-1]


def test_a_search_has_a_length(user: User) -> None:
    assert ids(user, q="x" * 200) == []
    for path in ("/api/v2/tasks", "/api/v2/tasks/counts"):
        problem(user.client.get(path, params={"q": "x" * 201}), 422, "q")


def test_counts_are_of_the_list_and_its_filters(system: System, user: User, other: User) -> None:
    assert counted(user) == {}
    echo, failed, again = named(user, "Import"), named(user, "Import", "test_fail"), named(user, "Report")
    for task_id in (echo, failed, again):
        user.finished(task_id)
    system.sql("UPDATE tasks SET parent_id = %s, step = 1 WHERE id = %s", echo, again)
    named(other, "Import")

    assert counted(user) == {"SUCCESS": 2, "FAILURE": 1}
    assert counted(user, q="import") == {"SUCCESS": 1, "FAILURE": 1}
    assert counted(user, job_type="test_fail") == {"FAILURE": 1}
    assert counted(user, parent_id=echo) == {"SUCCESS": 1}
    assert counted(user, parent_id=str(uuid.uuid4())) == {}
    problem(user.client.get("/api/v2/tasks/counts", params={"status": "SUCCESS"}), 422, "status")


def test_counts_and_the_callers_later_events_are_the_later_counts(system: System, user: User) -> None:
    user.finished(named(user, "before"))
    before = user.get("tasks/counts")
    for job_type in ("test_echo", "test_fail"):
        user.finished(named(user, "after", job_type))
    after = user.get("tasks/counts")

    address = f"/api/v2/events/stream?types=task_created,status_changed&since_sequence={before['sequence']}"
    with Frames(system.url, user, address) as frames:
        events = frames.events(6)  # each is created, starts and ends

    counts = dict(before["counts"])
    for event in events:
        change = json.loads(event.data)
        counts[change["status"]] += 1
        if event.type == "status_changed":
            counts[change["previous_status"]] -= 1
    assert json.loads(events[-1].data)["sequence"] <= after["sequence"]
    assert counts == after["counts"] != before["counts"]


def test_counts_of_a_tenant(system: System) -> None:
    here = uuid.uuid4().hex
    owner, viewer = system.user("operator", here), system.user("viewer", here)
    try:
        owner.finished(owner.start("test_echo"))

        assert counted(viewer, scope="tenant") == {"SUCCESS": 1}
        assert counted(viewer) == {}
    finally:
        owner.client.close(), viewer.client.close()
