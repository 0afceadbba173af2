"""Writes ``recorded.json``: real runs of a real system, event by event, with the snapshot that the server made of them.

Run by hand when what the jobs or the fold say has changed: ``python -m tests.vectors.record``.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.embedded import embedded_system
from tests.support.system import ROOT, User, wait_for

FILE = Path(__file__).with_name("recorded.json")
CONTENT = (
    "A room carries one stream. Each event has a sequence. A cursor says what was seen, and the rest follows."
)
STEPS = [
    {"job_type": "test_echo", "params": {"text": "first"}},
    {
        "job_type": "test_echo",
        "params": {"text": "second"},
        "approval": {"title": "Go on", "risk_level": "high"},
    },
    {"job_type": "test_fail", "params": {"text": "the third step fails"}},
]
Vector = dict[str, Any]


def vector(user: User, name: str, task_id: str) -> Vector:
    """Where the task stands, and the events up to there."""
    snapshot = user.status(task_id)
    events = [{**event["data"], "type": event["type"]} for event in user.events(task_id)]
    return {
        "name": name,
        "events": [event for event in events if event["sequence"] <= snapshot["sequence"]],
        "snapshot": {key: snapshot[key] for key in ("task", "phases", "sections", "sequence")},
    }


def ended(user: User, name: str, task_id: str) -> Vector:
    user.finished(task_id, 120)
    return vector(user, name, task_id)


def act(user: User, task_id: str, action: str) -> None:
    response = user.client.post(f"/api/v2/tasks/{task_id}/{action}")
    assert response.status_code == 202, response.text


def waiting(user: User, task_id: str) -> None:
    wait_for("a question", lambda: user.status(task_id)["task"]["status"] == "WAITING", 60)


def record(user: User) -> Iterator[Vector]:
    books = user.start("knowledge_base", limit=60)
    wait_for("its first phase", lambda: user.status(books)["phases"], 60)
    yield vector(user, "knowledge_base, while it runs", books)
    yield ended(user, "knowledge_base", books)
    quiz = user.start("artifact", artifact_type="quiz", content=CONTENT, options={"num_questions": 3})
    yield ended(user, "artifact", quiz)
    cancelled = user.start("emit_load", events=500, rate=50)
    wait_for("some lines", lambda: user.status(cancelled)["sequence"] > 30, 60)
    act(user, cancelled, "cancel")
    yield ended(user, "emit_load, cancelled", cancelled)
    steps = user.start("orchestrate", steps=STEPS)
    wait_for("the second step", lambda: len(user.get("tasks", parent_id=steps)["tasks"]) == 2, 60)
    second = user.get("tasks", parent_id=steps)["tasks"][0]["task_id"]
    waiting(user, second)
    yield vector(user, "a step that waits for approval", second)
    yield vector(user, "orchestrate, while a step waits", steps)
    act(user, second, "approve")
    yield ended(user, "a step that was approved", second)
    yield ended(user, "orchestrate, whose last step fails", steps)
    rejected = user.start("test_approval")
    waiting(user, rejected)
    act(user, rejected, "approve")
    wait_for("the second question", lambda: len(user.status(rejected)["phases"]) == 1, 60)
    waiting(user, rejected)
    act(user, rejected, "reject")
    yield ended(user, "asks twice and is rejected", rejected)
    yield ended(user, "succeeds at the third attempt", user.start("test_retry", count=2))
    yield ended(user, "fails after its last attempt", user.start("test_retry_for"))
    yield ended(user, "fails within a phase", user.start("test_fail", text="as asked"))
    groups = user.start("test_structured", invoices=2, retry=True, fail=True)
    yield ended(user, "groups within phases, in two attempts", groups)


def main() -> None:
    with embedded_system() as system, system.guest() as user:
        vectors = list(record(user))
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in vectors)
    # Where it was recorded is nobody's business.
    for of_here, word in ((sys.prefix, "/venv"), (str(ROOT), "/taskroom"), (socket.gethostname(), "host")):
        lines = lines.replace(of_here, word)
    FILE.write_text(f"[\n{lines}\n]\n")
    print(f"{FILE.name}: {len(vectors)} runs, {FILE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
