"""The sessions that have ended, in memory: a request need not read Postgres.

Redis delivers sign-outs at once, and may lose one. Each process also reads them from Postgres every second, which
limits the delay.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from app import green
from app.db.pool import Single
from app.db.statements import Statement, as_text
from app.models.accounts import Session
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

    def __init__(self, dsn: str, lifetime: float, ended: Callable[[str], None]) -> None:
        self._connect = Single(dsn, statement_timeout="2s")
        self.lifetime = lifetime
        self._kept_seconds = lifetime + MARGIN_SECONDS
        self._ended = ended
        self._forget_at: dict[str, float] = {}  # in the order of its times
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._wake = threading.Event()
        self._stopped = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="taskroom-revocations", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def read_soon(self) -> None:
        """Makes the thread read at once, because messages may be lost."""
        self._wake.set()

    @property
    def known(self) -> bool:
        """Whether the memory is fresh enough; otherwise the session must be read from Postgres."""
        read_at = self._read_at
        return read_at is not None and time.monotonic() - read_at < STALE_SECONDS

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._forget_at

    def __len__(self) -> int:
        return len(self._forget_at)

    def add(self, session_id: str) -> bool:
        """Adds an ended session; returns whether it is new."""
        with self._lock:
            if session_id in self._forget_at:
                return False
            self._forget_at[session_id] = time.monotonic() + self._kept_seconds
            return True

    def read(self) -> None:
        """Reads the sign-outs since the last read, and removes those whose tokens have expired.
        Raises DatabaseUnavailable."""
        began = time.monotonic()
        # A duration by this process's clock; Postgres subtracts it from its own time.
        since = self._kept_seconds
        if self._read_at is not None:
            # Also after a long outage: a stream that a ticket opened may outlast every access token.
            since = began - self._read_at + OVERLAP_SECONDS
        with (
            green.limit(READ_LIMIT, DatabaseUnavailable("no answer in time")),
            self._connect() as conn,
            conn.cursor() as cur,
        ):
            found = [str(row[0]) for row in _ENDED.execute(cur, since=timedelta(seconds=since))]
        new = [session_id for session_id in found if self.add(session_id)]
        self._read_at = began
        with self._lock:
            while self._forget_at and next(iter(self._forget_at.values())) <= began:
                del self._forget_at[next(iter(self._forget_at))]
        for session_id in new:
            try:
                self._ended(session_id)
            except Exception:  # the next read reports only new sign-outs: the loop must reach all
                logger.exception("the connections of an ended session could not be closed")

    def _run(self) -> None:
        failed = False
        while not self._stopped:
            self._wake.clear()
            try:
                self.read()
                failed = False
            except Exception as error:  # the thread must survive any error
                if not failed:
                    logger.warning(
                        "sign-outs cannot be read: %s",
                        error,
                        exc_info=not isinstance(error, DatabaseUnavailable),
                    )
                failed = True
                self._connect.close()
            self._wake.wait(READ_SECONDS)
        self._connect.close()
