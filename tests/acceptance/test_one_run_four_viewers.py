"""One real run, read by four viewers at once, two of them cut and resumed: all hold the same events."""

from __future__ import annotations

import random
import threading

from app.tasks.fold import empty, fold
from tests.support.system import System, User, wait_for
from tests.support.viewers import JavaScriptViewer, SocketViewer, SseViewer, Viewer


class Poller(Viewer):
    """Asks ``events`` again and again, as a script without streams would."""

    def open(self, since: int | str | None = None) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _poll(self) -> None:
        cursor = 0
        while not self._stop.wait(0.05):
            page = self.user.get(f"tasks/{self.task_id}/events", since_sequence=cursor, limit=500)
            for event in page["events"]:
                self.heard(event["type"], event["data"])
            cursor = page["next_sequence"]


def test_all_hold_the_same_events_and_their_fold_is_the_snapshot(system: System, user: User) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    task_id = user.start("knowledge_base", limit=1000)
    viewers: list[Viewer] = [
        kind(system.url, user, task_id) for kind in (JavaScriptViewer, SocketViewer, SseViewer, Poller)
    ]
    try:
        for viewer in viewers:
            viewer.open(0)
        cut = chance.sample(viewers[:3], 2)
        cuts = 0
        for _ in range(3):
            for viewer in cut:
                seen = len(viewer.events)
                more = chance.randint(1, 40)
                wait_for("more events", lambda v=viewer, n=seen + more: len(v.events) >= n or v.ended, 60)
                if not viewer.ended:
                    viewer.cut()
                    viewer.resume()
                    cuts += 1
        snapshot = user.finished(task_id, 120)
        expected = list(range(1, snapshot["sequence"] + 1))
        for viewer in viewers:
            wait_for(
                f"{type(viewer).__name__} (seed {seed})", lambda v=viewer: len(v.events) >= len(expected), 30
            )
    finally:
        for viewer in viewers:
            viewer.close()

    assert cuts == 6, "the run was over before all cuts were made"
    assert snapshot["task"]["status"] == "SUCCESS"
    ordered = [sorted(v.events, key=lambda e: e["sequence"]) for v in viewers]
    for viewer, events in zip(viewers, ordered, strict=True):
        assert viewer.sequences == expected, (type(viewer).__name__, seed)
        assert events == ordered[0], (type(viewer).__name__, seed)
    state = empty()
    for event in ordered[0]:
        state = fold(state, event["type"], event)
    assert state == {name: snapshot[name] for name in ("task", "phases", "sequence")}
