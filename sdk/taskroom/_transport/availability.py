"""When a batch may be sent: after a failure not before a wait, which grows with each failure in a row."""

from __future__ import annotations

import random
from collections.abc import Callable

from taskroom._transport.settings import Limits

KEY, ADDRESS = "key", "address"


class Availability:
    """Times are those of the given clock, in seconds."""

    def __init__(
        self, limits: Limits, clock: Callable[[], float], chance: Callable[[], float] = random.random
    ) -> None:
        self.failures = 0  # in a row
        self.until = float("-inf")
        self.refused: str | None = (
            None  # what the server refused the last time: KEY, or ADDRESS when it is none of Taskroom
        )
        self._limits, self._clock, self._chance = limits, clock, chance

    def wait(self) -> float:
        """Seconds until the next try is due; 0 when it is."""
        return max(0.0, self.until - self._clock())

    def answered(self) -> None:
        """The server took a batch, or refused one for what is in it."""
        self.failures, self.until, self.refused = 0, float("-inf"), None

    def failed(self, retry_after: float | None = None) -> None:
        """The try failed. ``retry_after``: seconds that the server asks for at least."""
        # From half of it on: many processes that lost their server at once do not come back at once.
        longest = min(self._limits.shortest_wait * 2 ** min(self.failures, 20), self._limits.longest_wait)
        self._pause(max(longest * (0.5 + self._chance() / 2), retry_after or 0.0))

    def refuses(self, what: str) -> None:
        """Only a change there, or of the settings, makes the next try better. ``what`` is KEY or ADDRESS."""
        self.refused = what
        self._pause(self._limits.refused_wait)

    def _pause(self, seconds: float) -> None:
        self.failures += 1
        self.until = self._clock() + seconds

    @property
    def remedy(self) -> str:
        """What sends the events that are left, as things are."""
        if self.refused == KEY:
            return "once TASKROOM_KEY is right, taskroom sync --other-keys sends them"
        if self.refused == ADDRESS:
            return "taskroom sync sends them once a Taskroom answers at this address"
        return "taskroom sync sends them"
