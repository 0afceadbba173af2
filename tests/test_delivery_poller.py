"""The poller of deliveries: workers hear of what is due, soon, and not over and over."""

from __future__ import annotations

import pytest

from app.broker import BrokerDown
from app.webhooks.poller import DeliveryPoller
from tests.support.clock import Clock
from tests.support.hooks import Hook
from tests.tasks.helpers import Tasks

pytestmark = pytest.mark.slow


@pytest.fixture
def hook(here: Tasks) -> Hook:
    return Hook(here)


class Hints:
    """A poller whose time the test turns; ``sent`` counts its hints."""

    def __init__(self, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent, self.broker_is_down, self.clock = 0, False, Clock()
        monkeypatch.setattr("app.webhooks.poller.time", self.clock)
        self.poller = DeliveryPoller(hook.tasks.connect, self._hint)

    def _hint(self) -> None:
        if self.broker_is_down:
            raise BrokerDown("as asked")
        self.sent += 1

    def polled(self, times: int) -> int:
        """How many hints so many polls send, one each half second."""
        before = self.sent
        for _ in range(times):
            self.poller.poll()
            self.clock.now += 0.5
        return self.sent - before


def test_workers_are_told_of_what_is_due_and_of_nothing_else(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints = Hints(hook, monkeypatch)
    assert hints.polled(3) == 0

    hook.create_tasks()
    assert hints.polled(1) == 1
    hook.claim()
    assert hints.polled(3) == 0

    hook.wait()
    assert hints.polled(1) == 1


def test_who_is_not_heard_repeats_it_ever_more_seldom(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    hints = Hints(hook, monkeypatch)
    hook.create_tasks()

    assert 10 < hints.polled(600) < 20, "in five minutes"

    hints.broker_is_down = True
    assert hints.polled(100) == 0
    hints.broker_is_down = False
    assert hints.polled(100) > 0, "what is lost is found"


def test_no_hint_while_a_webhook_has_as_much_on_its_way_as_it_may_and_one_at_once_after(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints = Hints(hook, monkeypatch)
    hook.create_tasks(20)
    assert hints.polled(40) > 1
    slow = hook.claim()
    assert hints.polled(40) == 0, "it waits for its receiver, not for a worker"

    hook.record(slow[0], status_code=200)

    assert hints.polled(1) == 1
