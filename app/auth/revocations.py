"""The sessions that have ended, in memory: a request need not read Postgres.

Redis delivers sign-outs at once, and may lose one. Each process also reads them from Postgres every second, which
limits the delay.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from cachetools import TTLCache

from app import green
from app.db.persistent import PersistentConnection
from app.db.statements import Statement, as_text
from app.models.accounts import Session
from app.periodic import Periodic
from app.stream.store import DatabaseUnavailable

logger = logging.getLogger("taskroom.revocations")

READ_SECONDS = 1.0
READ_LIMIT = 2.0
STALE_SECONDS = 4.0  # without a successful read for this time, the memory is not trusted
# A sign-out has the time of its transaction's start and is visible after its end: as late as the longest transaction.
OVERLAP_SECONDS = 20.0
# Clocks of processes differ, and a token may be issued while its session is ended.
MARGIN_SECONDS = 60.0
_ENDED = Statement(
    sa.select(*as_text(Session.id)).where(Session.revoked_at > sa.func.now() - sa.bindparam("since"))
)


class Revocations:
    """``lifetime``: seconds that an access token is valid. ``ended`` is called for each new sign-out that was read from
    Postgres."""

    def __init__(
        self,
        dsn: str,
        lifetime: float,
        ended: Callable[[str], None] = lambda session_id: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = PersistentConnection(dsn, statement_timeout="2s")
        self.lifetime = lifetime
        self._kept_seconds = lifetime + MARGIN_SECONDS
        self.ended, self._clock = ended, clock
        self._sessions: TTLCache[str, None] = TTLCache(math.inf, self._kept_seconds, clock)
        self._lock = threading.Lock()
        self._read_at: float | None = None
        # To be woken when messages may have been missed.
        self.thread = Periodic(
            "revocations", READ_SECONDS, self.read, at_once=True, at_end=self._connect.close
        )

    @property
    def known(self) -> bool:
        """Whether the memory is fresh enough; otherwise the session must be read from Postgres."""
        read_at = self._read_at
        return read_at is not None and self._clock() - read_at < STALE_SECONDS

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._sessions

    def __len__(self) -> int:
        return len(self._sessions)

    def add(self, session_id: str) -> bool:
        """Adds an ended session; returns whether it is new."""
        with self._lock:
            if session_id in self._sessions:
                return False
            self._sessions[session_id] = None
            return True

    def read(self) -> None:
        """Takes in what was signed out since the last reading. Raises DatabaseUnavailable."""
        began = self._clock()
        # A duration by this process's clock; Postgres subtracts it from its own time.
        since = self._kept_seconds
        if self._read_at is not None:
            # Also after a long outage: a stream that a ticket opened may outlast every access token.
            since = began - self._read_at + OVERLAP_SECONDS
        try:
            with (
                green.limit(READ_LIMIT, DatabaseUnavailable("no answer in time")),
                self._connect() as conn,
                conn.cursor() as cur,
            ):
                found = [str(row[0]) for row in _ENDED.execute(cur, since=timedelta(seconds=since))]
        except Exception:
            self._connect.close()  # an answer that was not waited for may still come on it
            raise
        new = [session_id for session_id in found if self.add(session_id)]
        self._read_at = began
        for session_id in new:
            try:
                self.ended(session_id)
            except Exception:  # the next read reports only new sign-outs: the loop must reach all
                logger.exception("the connections of an ended session could not be closed")
