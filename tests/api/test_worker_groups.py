"""Groups of lines that workers of other kinds report, and what a viewer without groups sees."""

from __future__ import annotations

from tests.api.external import Worker, accepted, line
from tests.api.reporters import STARTED, Reporter, new_task
from tests.support.system import User


def group(status: str, **more: object) -> dict[str, object]:
    return {"type": "log_group", "group_id": "g1", "status": status, **more}


def test_a_worker_reports_a_group_and_its_lines_are_pages_as_before(user: User, worker: Worker) -> None:
    accepted(worker.send(group("open", name="Invoice 17"), line("sent"), group("closed"), line("after")))

    snapshot = user.status(worker.task_id)
    found = [(s["name"], s["group_id"]) for s in snapshot["sections"] if s["kind"] == "group"]
    assert found == [("Invoice 17", "g1")]
    page = user.get(f"tasks/{worker.task_id}/logs", since_sequence=0)
    assert [each["message"] for each in page["logs"]][-2:] == ["sent", "after"]
    assert page["next_sequence"] == snapshot["sequence"]


def test_what_is_wrong_with_a_group_is_named(worker: Worker) -> None:
    refused = worker.send(
        group("opened"), {"type": "log_group", "status": "open"}, group("open", group_id="x" * 129)
    )

    assert refused.status_code == 422
    assert sorted(refused.json()["errors"]) == [
        "events.0.status",
        "events.1.group_id",
        "events.2.group_id",
    ]


def test_an_observed_task_has_groups_with_names_that_are_made_one_line(user: User) -> None:
    lines = {"type": "log", "message": "x"}
    part = new_task(STARTED, group("open", name="a\nb" + "c" * 200), lines, group("closed"), group("open"))
    Reporter(user).accepted(part)

    sections = user.status(str(part["task_id"]))["sections"]
    groups = [(s["name"], s["ended_at"] is None) for s in sections if s["kind"] == "group"]
    assert groups == [("a b" + "c" * 125, False), ("group", True)]
