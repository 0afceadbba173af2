"""The garbage of viewers that have left is collected, but not after each few of them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from app.observability import gc_tuning
from app.observability.gc_tuning import MIN_LEFT, CycleCollector
from tests.support.system import wait_for

pytestmark = pytest.mark.slow


class Crowd:
    """Viewers whose objects form cycles, like those of real viewers."""

    def __init__(self) -> None:
        self.present, self.left = 0, 0
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


def test_the_garbage_of_enough_viewers_is_collected_once() -> None:
    crowd = Crowd()
    collector = CycleCollector(lambda: crowd.present, lambda: crowd.left)

    crowd.leave(MIN_LEFT - 1)
    assert not collector.collect_if_due() and crowd.remaining == MIN_LEFT - 1
    crowd.leave(1)

    assert collector.collect_if_due() and crowd.remaining == 0
    assert not collector.collect_if_due()


def test_half_as_many_as_stay_must_leave_first() -> None:
    """A collection visits the objects of all viewers that stay, and delays every one of them."""
    crowd = Crowd()
    crowd.present = 4 * MIN_LEFT
    collector = CycleCollector(lambda: crowd.present, lambda: crowd.left)

    crowd.leave(2 * MIN_LEFT - 1)
    assert not collector.collect_if_due()
    crowd.leave(1)

    assert collector.collect_if_due()


def test_its_thread_collects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc_tuning, "CHECK_SECONDS", 0.01)
    crowd = Crowd()
    collector = CycleCollector(lambda: crowd.present, lambda: crowd.left)
    collector.thread.start()

    crowd.leave(MIN_LEFT)

    wait_for("the collection", lambda: crowd.remaining == 0)
    collector.thread.stop()
