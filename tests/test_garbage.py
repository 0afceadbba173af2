"""What viewers leave behind is collected, and not for a few of them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from app.observability import gc_tuning
from app.observability.gc_tuning import FEW_LEFT, Leftovers
from tests.support.system import wait_for

pytestmark = pytest.mark.slow


class Crowd:
    """A number of viewers, who stand in cycles as real ones do."""

    def __init__(self) -> None:
        self.there, self.left = 0, 0
        self.remains: list[weakref.ref[Crowd.Viewer]] = []

    class Viewer:
        def __init__(self) -> None:
            self.itself = self

    def leave(self, viewers: int) -> None:
        self.left += viewers
        self.remains += [weakref.ref(Crowd.Viewer()) for _ in range(viewers)]

    @property
    def remaining(self) -> int:
        return sum(ref() is not None for ref in self.remains)


@pytest.fixture(autouse=True)
def by_hand() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_what_enough_viewers_left_behind_is_collected_once() -> None:
    crowd = Crowd()
    leftovers = Leftovers(lambda: crowd.there, lambda: crowd.left)

    crowd.leave(FEW_LEFT - 1)
    assert not leftovers.sweep() and crowd.remaining == FEW_LEFT - 1
    crowd.leave(1)

    assert leftovers.sweep() and crowd.remaining == 0
    assert not leftovers.sweep()


def test_of_a_crowd_that_stays_half_must_leave_first() -> None:
    """A collection looks through all who stay, and holds up every one of them."""
    crowd = Crowd()
    crowd.there = 4 * FEW_LEFT
    leftovers = Leftovers(lambda: crowd.there, lambda: crowd.left)

    crowd.leave(2 * FEW_LEFT - 1)
    assert not leftovers.sweep()
    crowd.leave(1)

    assert leftovers.sweep()


def test_it_is_looked_for_while_the_process_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc_tuning, "SWEEP_SECONDS", 0.01)
    crowd = Crowd()
    leftovers = Leftovers(lambda: crowd.there, lambda: crowd.left)
    leftovers.start()

    crowd.leave(FEW_LEFT)

    wait_for("the collection", lambda: crowd.remaining == 0)
    leftovers.stop()
