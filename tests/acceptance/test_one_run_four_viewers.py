"""One real run, read by four viewers at once, two of them cut and resumed: all hold the same events."""

from __future__ import annotations

import random
import threading
from pathlib import Path

from app.tasks.fold import empty, fold
from tests.support.held import held
from tests.support.javascript import JavaScriptViewer
from tests.support.system import System, User
from tests.support.threads import joined
from tests.support.viewers import SocketViewer, SseViewer, Viewer


class Poller(Viewer):
    """Asks ``events`` again and again, as a script without streams would."""

    def open(self, since: int | str | None = None) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        return bool(self.events)

    def cut(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._stop.set()
        joined(self._thread)

    def _poll(self) -> None:
        cursor = 0
        while not self._stop.wait(0.05):
            page = self.user.get(f"tasks/{self.task_id}/events", since_sequence=cursor, limit=500)
            for event in page["events"]:
                self.receive(event["type"], event["data"])
            cursor = page["next_sequence"]


def cut_thrice(viewers: list[Viewer], chance: random.Random) -> None:
    """Each after some more events: the run goes on until it is let go, so they come however slow all is."""
    for _ in range(3):
        for viewer in viewers:
            enough = len(viewer.events) + chance.randint(1, 40)
            viewer.wait_events(enough, 60)
            viewer.cut()
            viewer.resume()


def test_all_hold_the_same_events_and_their_fold_is_the_snapshot(
    system: System, user: User, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with held(user, tmp_path, "test_gated_reading") as run:
        viewers: list[Viewer] = [
            kind(system.url, user, run.id) for kind in (JavaScriptViewer, SocketViewer, SseViewer, Poller)
        ]
        try:
            for viewer in viewers:
                viewer.open(0)
            cut_thrice(chance.sample(viewers[:3], 2), chance)
            assert not user.status(run.id)["task"]["finished_at"]
            run.let_go()
            snapshot = user.finished(run.id, 120)
            for viewer in viewers:
                viewer.wait_events(snapshot["sequence"], 60)
        finally:
            for viewer in viewers:
                viewer.close()

    assert snapshot["task"]["status"] == "SUCCESS"
    expected = list(range(1, snapshot["sequence"] + 1))
    ordered = [sorted(v.events, key=lambda e: e["sequence"]) for v in viewers]
    for viewer, events in zip(viewers, ordered, strict=True):
        assert viewer.sequences == expected, type(viewer).__name__
        assert events == ordered[0], type(viewer).__name__
    state = empty()
    for event in ordered[0]:
        state = fold(state, event["type"], event)
    assert state == {name: snapshot[name] for name in ("task", "phases", "sections", "sequence")}
