"""What the owners of observed tasks are notified of."""

from __future__ import annotations

import uuid

from tests.api.reporters import DONE, STARTED, Reporter, new_task, part, status
from tests.support.system import User


def test_each_failure_of_an_observed_task_is_told_but_of_members_of_a_group_and_nothing_else(
    user: User,
) -> None:
    parent, cancelled = new_task(STARTED, title="All"), new_task(STARTED, status("REVOKED"))
    body = new_task(STARTED, status("FAILURE", error={"message": "no room"}), parent_id=parent["task_id"])
    step = new_task(STARTED, DONE, parent_id=parent["task_id"])
    member = new_task(STARTED, status("FAILURE"), group_id=str(uuid.uuid4()))

    Reporter(user).accepted(parent, body, step, cancelled, member, part(parent["task_id"], DONE))

    notices = user.get("notifications")["notifications"]
    assert [(n["title"], n["message"], n["related_id"]) for n in notices] == [
        ("shop.mail has failed", "no room", body["task_id"])
    ]
