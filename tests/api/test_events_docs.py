"""What the page on reporting says can be done as it stands there."""

from __future__ import annotations

import os
import re
import subprocess

from tests.support.system import ROOT, System, User

PAGE = (ROOT / "docs" / "reporting.md").read_text()


def test_the_lines_of_the_page_report_a_task(system: System, user: User) -> None:
    (lines,) = re.findall(r"```sh\n(report.*?)```", PAGE, re.DOTALL)
    names = {"TASKROOM": system.url, "KEY": user.token}

    done = subprocess.run(
        ["bash", "-ec", lines], env={**os.environ, **names}, capture_output=True, check=True
    )

    assert done.stdout.count(b'"refused":[]') == 2
    (task,) = user.get("tasks")["tasks"]
    assert (task["job_type"], task["title"], task["status"]) == ("backup", "backup", "SUCCESS")
    assert user.status(task["task_id"])["task"]["result"] == {"files": 2}
    said = [e["data"]["message"] for e in user.events(task["task_id"]) if e["type"] == "log"]
    assert said == ["the first of two", "the second of two"]
