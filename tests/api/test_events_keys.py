"""Observed tasks that API keys report, by hand and with the package."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

from tests.api.answers import problem
from tests.api.reporters import DONE, STARTED, Reporter, line, new_task, part
from tests.support.keys import holder
from tests.support.system import ROOT, System, User

SCRIPT = """
import logging, sys, taskroom
logging.basicConfig(level=logging.INFO)
with taskroom.run("train", title="ResNet", params={"epochs": 3}) as run:
    for epoch in run.track(range(3), phase="epochs"):
        run.log(f"loss {epoch}")
    logging.getLogger("shop").warning("from logging")
    print("from print")
    with taskroom.run("evaluate"):
        taskroom.log("within")
    run.result({"loss": 2})
print(run.url, file=sys.stderr)
"""


def test_a_key_needs_the_scope_to_report(user: User) -> None:
    with holder(user, "read", "start", "act") as key:
        refused = Reporter(key).post(new_task(STARTED))

    assert "report" in problem(refused, 403)["detail"]
    with holder(user, "report") as key:
        mail = new_task(STARTED, line("by a key"), DONE)
        Reporter(key).accepted(mail)
        problem(key.client.get(f"/api/v2/tasks/{mail['task_id']}/status"), 403)
    assert user.status(mail["task_id"])["task"]["user_id"] == user.id


def test_a_text_is_another_id_for_each_key(user: User) -> None:
    with holder(user, "report") as one, holder(user, "report") as other:
        (first,) = Reporter(one).accepted(new_task(STARTED, task_id="backup of Monday"))
        (second,) = Reporter(other).accepted(new_task(STARTED, task_id="backup of Monday"))
        (again,) = Reporter(one).accepted(part("backup of Monday", line("more")))

        assert (
            first["task_id"] == again["task_id"] == str(uuid.uuid5(uuid.UUID(one.key_id), "backup of Monday"))
        )
        assert second["task_id"] == str(uuid.uuid5(uuid.UUID(other.key_id), "backup of Monday"))


def test_writers_of_two_keys_count_apart(user: User) -> None:
    with holder(user, "report") as one, holder(user, "report") as other:
        first, second = Reporter(one), Reporter(other)
        second.writer = first.writer

        assert first.send(new_task(STARTED))["next_batch"] == 2
        assert second.send(new_task(STARTED))["next_batch"] == 2


def test_a_task_is_of_the_tenant_of_the_key(system: System) -> None:
    tenant = uuid.uuid4().hex
    with (
        closing(system.user("global_admin").client) as client,
        closing(system.user("viewer", tenant).client) as eyes,
    ):
        boss = User("", "", "", client)
        with holder(boss, "report", tenant=tenant) as key:
            mail = new_task(STARTED)
            Reporter(key).accepted(mail)

        seen = eyes.get(f"/api/v2/tasks/{mail['task_id']}/status")
        assert seen.status_code == 200, seen.text


def test_what_the_package_reports_is_there(system: System, user: User, tmp_path: Path) -> None:
    with holder(user, "report") as key:
        names = {"TASKROOM_URL": system.url, "TASKROOM_KEY": key.token, "HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", SCRIPT],
            env={**os.environ, **names, "PYTHONPATH": str(ROOT / "sdk")},
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert (done.returncode, done.stdout) == (0, "from print\n"), done.stderr
    page = done.stderr.splitlines()[-1]
    task_id = page.rpartition("/runs/")[2]
    assert page == f"{system.url}/runs/{task_id}"
    found = user.status(task_id)
    task, (phase,) = found["task"], found["phases"]
    assert (task["job_type"], task["title"], task["params"]) == ("train", "ResNet", {"epochs": 3})
    assert (task["status"], task["result"], task["progress"]) == ("SUCCESS", {"loss": 2}, 100)
    assert (phase["phase_id"], phase["status"], phase["processed_count"]) == ("epochs", "completed", 3)
    said = [e["data"]["message"] for e in user.events(task_id) if e["type"] == "log"]
    assert said == ["loss 0", "loss 1", "loss 2", "from logging", "from print"]
    (child,) = user.get("tasks", parent_id=task_id)["tasks"]
    assert (child["job_type"], child["status"]) == ("evaluate", "SUCCESS")
