"""Tells the workers that deliveries are due.

Nobody is told by whoever appends: that would cost every event. Each web process asks Postgres twice a second instead,
in one statement that looks into an index which is empty when no webhook has anything to come, so a delivery leaves
within about half a second of its commit. What is found is hinted at, not handed over: deliveries are claimed, so that
hints which are lost, late or doubled by other processes are harmless. A hint that nobody acts on, because all workers
are busy or Redis is away, is repeated ever more seldom.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from app.broker import BrokerDown
from app.stream.store import Connect, DatabaseUnavailable
from app.webhooks.queue import oldest

logger = logging.getLogger("taskroom.webhooks")

POLL_SECONDS = 0.5
PATIENCE_MOST = 30.0


class DeliveryPoller:
    def __init__(self, read: Connect, hint: Callable[[], None]) -> None:
        """``hint`` raises BrokerDown."""
        self._read, self._hint = read, hint
        self._stopped = threading.Event()
        self._told: str | None = None  # since when that was due which was hinted at last
        self._next, self._patience = 0.0, 0.0

    def start(self) -> None:
        threading.Thread(target=self._run, name="taskroom-delivery-poller", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def poll(self) -> bool:
        """Whether it hinted. Raises DatabaseUnavailable."""
        with self._read() as conn, conn.cursor() as cur:
            due = oldest(cur)
        at = time.monotonic()
        if due is None:
            self._told = None  # what falls due from here on, or has its turn again, is news
            return False
        if due == self._told and at < self._next:
            return False
        self._patience = min(2 * self._patience, PATIENCE_MOST) if due == self._told else POLL_SECONDS
        self._told, self._next = due, at + self._patience
        try:
            self._hint()
        except BrokerDown as error:
            logger.warning("deliveries wait for the broker: %s", error)
            return False
        return True

    def _run(self) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            try:
                self.poll()
            except DatabaseUnavailable as error:
                logger.debug("no poll: %s", error)  # the breaker tells of Postgres's going and coming
            except Exception:
                logger.exception("a poll failed")
