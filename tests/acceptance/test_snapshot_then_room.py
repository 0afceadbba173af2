"""Snapshot, then room: at any moment of a busy run, over both transports, without gap or repeat."""

from __future__ import annotations

import json
import random
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from app.tasks.fold import fold
from tests.support.system import ROOT, System, User
from tests.support.viewers import SseViewer

MOMENTS = 100  # for each transport
SPREAD = 4.0  # seconds of the run over which they lie


def start(user: User) -> str:
    return user.start("emit_load", events=1000, rate=150, message_bytes=120)


def check(snapshot: Any, sequences: list[int], changes: list[Any], final: Any) -> None:
    """Snapshot and events are one whole: contiguous, and their fold is the last snapshot."""
    assert sequences == list(range(snapshot["sequence"] + 1, final["sequence"] + 1))
    names = ("task", "phases", "sequence")
    state = {name: snapshot[name] for name in names}
    for event in changes:
        state = fold(state, event["type"], event)
    assert state == {name: final[name] for name in names}


def spread_enough(snapshots: list[Any]) -> None:
    assert len({s["sequence"] for s in snapshots}) > MOMENTS / 4, "the moments were not spread over the run"


def test_over_sse(system: System, user: User) -> None:
    task_id = start(user)

    def at_a_random_moment(delay: float) -> tuple[SseViewer, Any]:
        time.sleep(delay)  # the moment itself is what is random here
        snapshot = user.status(task_id)
        viewer = SseViewer(system.url, user, task_id)
        viewer.open(snapshot["sequence"])
        return viewer, snapshot

    with ThreadPoolExecutor(MOMENTS) as pool:
        moments = list(pool.map(at_a_random_moment, [random.uniform(0, SPREAD) for _ in range(MOMENTS)]))
    final = user.finished(task_id, 60)
    for viewer, snapshot in moments:
        if viewer.status != 204:  # the run had ended, and the snapshot was the whole of it
            viewer.control("end")
        viewer.close()
        check(snapshot, viewer.sequences, viewer.events, final)
    spread_enough([snapshot for _, snapshot in moments])


def test_over_socket_io(system: System, user: User) -> None:
    task_id = start(user)
    script = str(ROOT / "tests" / "support" / "moments.mjs")
    told = subprocess.run(
        ["node", script, system.url, user.token, task_id, str(MOMENTS), str(SPREAD * 1000)],
        capture_output=True,
        check=True,
        timeout=90,
    )
    final = user.finished(task_id, 60)
    moments = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(moments) == MOMENTS
    for snapshot, sequences, changes in moments:
        check(snapshot, sequences, changes, final)
    spread_enough([snapshot for snapshot, _, _ in moments])
