"""Sends workers a hint when deliveries are due.

Appending an event sends no hint: that would add its cost to each event. Instead each web process reads Postgres twice a
second, in one statement over an index that is empty when no delivery is due. So a delivery is sent within about half a
second of its commit. Workers claim deliveries, so lost, late or repeated hints do no harm. A hint without effect,
because all workers are busy or Redis is unavailable, is repeated at growing intervals.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from app.broker import BrokerDown
from app.periodic import Periodic
from app.stream.store import Connect, DatabaseUnavailable
from app.webhooks.delivery_queue import oldest

logger = logging.getLogger("taskroom.webhooks")

POLL_SECONDS = 0.5
MAX_INTERVAL = 30.0


class DeliveryPoller:
    def __init__(self, read: Connect, hint: Callable[[], None]) -> None:
        """``hint`` raises BrokerDown."""
        self._read, self._hint = read, hint
        self.thread = Periodic("delivery-poller", POLL_SECONDS, self._poll)
        self._hinted: str | None = None  # due_at of the oldest delivery at the last hint
        self._next, self._interval = 0.0, 0.0

    def poll(self) -> bool:
        """Sends a hint when deliveries are due; returns whether it did. Raises DatabaseUnavailable."""
        with self._read() as conn, conn.cursor() as cur:
            due = oldest(cur)
        at = time.monotonic()
        if due is None:
            self._hinted = None  # the next due delivery needs a hint at once
            return False
        if due == self._hinted and at < self._next:
            return False
        self._interval = min(2 * self._interval, MAX_INTERVAL) if due == self._hinted else POLL_SECONDS
        self._hinted, self._next = due, at + self._interval
        try:
            self._hint()
        except BrokerDown as error:
            logger.warning("deliveries wait for the broker: %s", error)
            return False
        return True

    def _poll(self) -> None:
        with suppress(DatabaseUnavailable):  # the breaker logs when Postgres goes and when it is back
            self.poll()
