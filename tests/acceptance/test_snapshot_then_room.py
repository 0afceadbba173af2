"""Snapshot, then room: at many moments of a busy run, over both transports, without gap or repeat."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from app.tasks.fold import fold
from tests.support.held import Held, held
from tests.support.system import ROOT, System, User, wait_for
from tests.support.viewers import SseViewer

AT_ONCE = 5  # viewers that come at the same time, again and again
TIMES = 20
Moment = tuple[SseViewer, Any]


@pytest.fixture
def run(user: User, tmp_path: Path) -> Iterator[Held]:
    """Goes on until every viewer has come."""
    with held(user, tmp_path, rate=150) as run:
        yield run


def check(snapshot: Any, sequences: list[int], changes: list[Any], final: Any) -> None:
    """Snapshot and events are one whole: contiguous, and their fold is the last snapshot."""
    assert sequences == list(range(snapshot["sequence"] + 1, final["sequence"] + 1))
    names = ("task", "phases", "sections", "sequence")
    state = {name: snapshot[name] for name in names}
    for event in changes:
        state = fold(state, event["type"], event)
    assert state == {name: final[name] for name in names}


def different(snapshots: list[Any]) -> None:
    """Each of those who come at once waits for a later moment than its last, so there are so many at least."""
    assert len(snapshots) == AT_ONCE * TIMES
    assert len({snapshot["sequence"] for snapshot in snapshots}) >= TIMES


def test_over_sse(system: System, user: User, run: Held) -> None:
    def again_and_again(_: int) -> list[Moment]:
        moments: list[Moment] = []
        for _ in range(TIMES):
            last = moments[-1][1]["sequence"] if moments else -1
            snapshot = wait_for(
                "more of the run",
                lambda n=last: s if (s := user.status(run.id))["sequence"] > n else None,
                60,
            )
            viewer = SseViewer(system.url, user, run.id)
            moments.append((viewer, snapshot))
            viewer.open(snapshot["sequence"])
        return moments

    with ThreadPoolExecutor(AT_ONCE) as pool:
        moments = list(chain.from_iterable(pool.map(again_and_again, range(AT_ONCE))))
    run.let_go()
    final = user.finished(run.id, 60)
    for viewer, snapshot in moments:
        viewer.control("end")
        viewer.close()
        check(snapshot, viewer.sequences, viewer.events, final)
    different([snapshot for _, snapshot in moments])


def test_over_socket_io(system: System, user: User, run: Held) -> None:
    script = str(ROOT / "tests" / "support" / "moments.mjs")
    command = ["node", script, system.url, user.token, run.id, str(AT_ONCE), str(TIMES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as viewers:
        try:
            assert viewers.stdout and viewers.stdout.readline() == "joined\n"
            run.let_go()
            output, _ = viewers.communicate(timeout=90)
        finally:
            viewers.kill()
    assert viewers.returncode == 0
    final = user.finished(run.id, 60)
    moments = [json.loads(line) for line in output.splitlines()]
    for snapshot, sequences, changes in moments:
        check(snapshot, sequences, changes, final)
    different([snapshot for snapshot, _, _ in moments])
