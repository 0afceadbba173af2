"""What a look at Postgres says of a stream: it may be older than the question, and a head may have gone back."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from app.stream.hub import Hub
from app.stream.store import Head
from tests.stream.fakes import FakeStore
from tests.stream.helpers import Passages
from tests.stream.wires import FakeWire
from tests.support.system import wait_for

A = "task:a"


def test_a_look_that_is_older_than_the_pruning_makes_no_hole(
    hub: Hub, store: FakeStore, monkeypatch: pytest.MonkeyPatch
):
    """Whoever asks while a look is under way is given that one, which cannot know of what was pruned since."""
    store.add(A, 9)
    viewer, heads, gate = hub.watch(A, 2), store.heads, threading.Event()

    def held_back(streams: Sequence[str]) -> dict[str, Head]:
        found = heads(streams)
        assert gate.wait(60)
        return found

    passages = Passages(hub._tails._once)
    monkeypatch.setattr(store, "heads", held_back)
    threading.Thread(target=hub._tails.refresh, args=(viewer.room,), daemon=True).start()
    wait_for("the look", lambda: passages.count == 1 and store.queries("heads") == 2)
    store.pruned[A] = 6
    wire = FakeWire()
    hub.attach(viewer, wire)
    wait_for("the viewer to wait for it", lambda: passages.count == 2)

    gate.set()

    wire.gets(7, 8, 9)
    assert wire.controls == [("resync", {"stream": A, "reason": "pruned", "oldest": 7, "head": 9})]
