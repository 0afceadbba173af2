"""Somebody with runs in every state, and somebody without any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.browser.reported import failed_chord, running_command
from tests.support.system import System, User, wait_for

TEXT = "The cell is the unit of life. A nucleus holds the genes. Membranes keep the cell together."


@dataclass(slots=True)
class Scene:
    """The ids are of runs of ``user``; ``newcomer`` has none."""

    user: User
    newcomer: User
    running: str
    finished: str
    packages: str
    failed: str
    cancelled: str
    waiting: str
    parent: str
    broken: str
    chord: str
    command: str


@contextmanager
def scene(system: System, names: tuple[str, str] = ("", "")) -> Iterator[Scene]:
    """``names``: the addresses of the two, where a picture shows them."""
    user, newcomer = (system.user(email=name) for name in names)
    chord = failed_chord(user)
    finished = start(user, "Release 4.1.0", "release", version="4.1.0")
    failed = start(user, "Release 4.2.0", "release", version="4.2.0", broken=True)
    quiz: dict[str, Any] = {"artifact_type": "quiz", "content": TEXT, "notebook_id": "biology"}
    start(user, "Questions about cells", "artifact", **quiz)
    packages = start(user, "Installed packages", "knowledge_base", limit=300)
    wordless = start(user, "Questions about nothing", "artifact", **quiz | {"content": "…"})
    for task_id in (finished, failed, packages, wordless):
        user.finished(task_id, 300)
    cancelled = start(user, "Release 4.2.1", "release", stop_after=40)
    wait_for("its tests", lambda: user.status(cancelled)["task"]["current_phase"] == "test", 60)
    user.client.post(f"/api/v2/tasks/{cancelled}/cancel")
    user.finished(cancelled, 60)
    approval = {"title": "Publish the questions", "risk_level": "medium", "estimated_cost": 2.5}
    book = {"job_type": "release", "params": {"broken": True}, "title": "Build the book"}
    parent = start(user, "A week of biology", "orchestrate", steps=_week(quiz, book, approval))
    broken = start(
        user, "A week of chemistry", "orchestrate", steps=[_step("Draw up", quiz), book, _step("Print", quiz)]
    )
    waiting = start(
        user, "Release 5.0.0", "release", approval=approval | {"title": "Publish a major version"}
    )
    wait_for("its step that asks", lambda: _is_waiting(user, parent), 60)
    user.finished(broken, 60)
    running = start(user, "Release 4.2.2", "release", version="4.2.2", tests=4000, stop_after=2440)
    wait_for("its tests", lambda: user.status(running)["sequence"] > 2400, 300)
    user.finished(chord, 60)  # ten seconds after its last member
    command, dump = running_command(system, user)
    try:
        yield Scene(
            *(user, newcomer, running, finished, packages, failed, cancelled, waiting, parent),
            *(broken, chord, command),
        )
    finally:
        dump.terminate()
        dump.wait(60)
        for task_id in (running, waiting, parent):
            user.client.post(f"/api/v2/tasks/{task_id}/cancel")
        user.finished(running)
        user.client.close()
        newcomer.client.close()


def start(
    user: User, title: str, job_type: str, approval: dict[str, Any] | None = None, **params: Any
) -> str:
    body = {"title": title, "job_type": job_type, "params": params} | (
        {"approval": approval} if approval else {}
    )
    response = user.client.post("/api/v2/agent/start", json=body)
    assert response.status_code == 202, response.text
    return str(response.json()["task_id"])


def _step(title: str, quiz: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"job_type": "artifact", "params": quiz, "title": title, **more}


def _week(quiz: dict[str, Any], book: dict[str, Any], approval: dict[str, Any]) -> list[dict[str, Any]]:
    """Steps of three levels: one fails, and the last but one of the deepest asks."""
    pay = {"title": "Pay the translator", "risk_level": "high", "estimated_cost": 80}
    languages = [
        _step("Into French", quiz),
        _step("Into Italian", quiz, approval=pay),
        _step("Into Romansh", quiz),
    ]
    translate = {"job_type": "orchestrate", "params": {"steps": languages}, "title": "Translate"}
    both = {"steps": [_step("Two teachers read it", quiz), translate], "mode": "parallel"}
    return [
        _step("Draw up the questions", quiz),
        book | {"on_failure": "continue"},
        {"job_type": "orchestrate", "params": both, "title": "Review"},
        _step("Publish them", quiz, approval=approval),
        _step("Tell everybody", quiz),
    ]


def _is_waiting(user: User, parent: str) -> bool:
    return any(row["status"] == "WAITING" for row in user.get(f"tasks/{parent}/tree")["tasks"])
