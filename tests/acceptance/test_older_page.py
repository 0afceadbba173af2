"""The page-load code that older front ends have works unchanged against a run in the middle."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

from tests.support.held import held
from tests.support.system import ROOT, System, User, wait_for
from tests.support.threads import joined


def test_the_older_page_shows_the_present_state_and_follows(
    system: System, user: User, tmp_path: Path
) -> None:
    received: list[tuple[str, Any]] = []
    with held(user, tmp_path, rate=500) as run:
        wait_for("the middle of the run", lambda: user.status(run.id)["sequence"] > 300, 60)
        page = subprocess.Popen(
            ["node", str(ROOT / "tests" / "support" / "seed_page.mjs"), system.url, user.token, run.id],
            stdout=subprocess.PIPE,
            text=True,
        )
        lines = page.stdout
        assert lines is not None
        reader = threading.Thread(
            target=lambda: received.extend(json.loads(line) for line in lines), daemon=True
        )
        reader.start()
        try:
            wait_for("live lines", lambda: sum(what == "log" for what, _ in list(received)) > 100, 60)
            run.let_go()
            user.finished(run.id, 60)
            wait_for(
                "the last status",
                lambda: any(w == "task_status" and d["status"] == "SUCCESS" for w, d in list(received)),
                60,
            )
        finally:
            page.terminate()
            page.wait(60)
            joined(reader)
            lines.close()

    kinds = [what for what, _ in received]
    assert kinds[:2] == ["status", "logs"]
    status, logs = received[0][1], received[1][1]
    assert status["task"]["is_running"] is True
    assert status["phases"][-1]["phase_id"] == "load"
    assert len(logs) == 50
    assert [x["sequence"] for x in logs] == sorted(x["sequence"] for x in logs)
    followed = received[2:]
    assert {"task_status", "phase_update"} <= {what for what, _ in followed[:4]}, (
        "the present state comes first"
    )
    assert (
        next(d for w, d in followed if w == "phase_update" and d["phase_id"] == "load")["processed_count"] > 0
    )
    live = [d["sequence"] for what, d in followed if what == "log"]
    every = [e["sequence"] for e in user.events(run.id) if e["type"] == "log"]
    assert live == every[every.index(live[0]) :], "live lines follow each other without gap or repeat"
