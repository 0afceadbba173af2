"""Viewers of observed tasks, over each transport: the same rooms, resumes and ends as of our own tasks."""

from __future__ import annotations

from tests.api.reporters import DONE, PENDING, STARTED, Reporter, line, new_task, part, phase, status
from tests.realtime.conftest import Open, watch  # noqa: F401 - a fixture
from tests.support.system import User, wait_for


def test_viewers_see_an_observed_task_as_it_is_reported(user: User, watch: Open) -> None:  # noqa: F811
    reporter, mail = Reporter(user), new_task(PENDING, attempt=None)
    reporter.accepted(mail)
    task_id = mail["task_id"]
    viewer = watch(user, task_id, 0)
    viewer.wait_events(1)

    reporter.accepted(part(task_id, STARTED, line("seen"), phase("send", total_count=2)))
    viewer.wait_events(6)
    viewer.cut()
    reporter.accepted(part(task_id, line("while it was away")))
    viewer.resume()
    reporter.accepted(part(task_id, DONE))

    wait_for("the end", lambda: viewer.ended)
    assert viewer.sequences == list(range(1, user.status(task_id)["sequence"] + 1))
    assert [e["message"] for e in viewer.events if e["type"] == "log"] == ["seen", "while it was away"]
    assert viewer.events[-1]["status"] == "SUCCESS"


def test_a_task_that_was_heard_of_after_its_child_shows_its_name_to_viewers(user: User, watch: Open) -> None:  # noqa: F811
    reporter, parent = Reporter(user), new_task(STARTED, title="All")
    reporter.accepted(new_task(STARTED, parent_id=parent["task_id"]))
    viewer = watch(user, parent["task_id"], 0)
    viewer.wait_events(1)

    reporter.accepted(parent)

    viewer.wait_events(4)
    first, heard = viewer.events[:2]
    assert (first["job_type"], first["status"]) == ("unknown", "PENDING")
    assert (heard["job_type"], heard["title"], heard["status"]) == ("shop.mail", "All", "PENDING")


def test_its_owner_hears_of_it_on_the_stream_of_the_user(user: User, watch: Open) -> None:  # noqa: F811
    viewer = watch(user, "", None, room="events")
    mail = new_task(STARTED, line("x"), status("FAILURE"), title="Mail")

    Reporter(user).accepted(mail)

    viewer.wait_events(7)
    assert [(e["type"], e.get("status")) for e in viewer.events] == [
        ("task_created", "PENDING"),
        ("status_changed", "STARTED"),
        ("agent_started", None),
        ("agent_completed", None),
        ("task_completed", "FAILURE"),
        ("status_changed", "FAILURE"),
        ("notification", "unread"),
    ]
    assert {e["task_id"] for e in viewer.events if "task_id" in e} == {mail["task_id"]}
