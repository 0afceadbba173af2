"""A long loop lets other threads run: after so many items, and after any time that is too long."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app.stream import background
from app.stream.background import PAUSE_AFTER, with_pauses


@pytest.mark.parametrize(
    ("seconds", "pauses"),
    [
        (0.0, [3, 6]),
        (PAUSE_AFTER / 2, [2, 3, 5, 6]),
        (PAUSE_AFTER, [1, 2, 3, 4, 5, 6, 7]),
        (10 * PAUSE_AFTER, [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_others_run_after_so_many_items_and_after_long_ones(
    monkeypatch: pytest.MonkeyPatch, seconds: float, pauses: list[int]
) -> None:
    now, done, paused = [0.0], 0, list[int]()
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda _: paused.append(done))
    monkeypatch.setattr(background, "time", clock)

    for item in with_pauses(range(7), 3):
        done = item + 1
        now[0] += seconds

    assert paused == pauses
