"""Which sessions have ended, kept in memory so that a request need not ask Postgres.

Sign-outs arrive through Redis at once. That is a hint like every message there: each process also reads
them from Postgres every second, so a lost one is late by that much and no more.
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
STALE_SECONDS = 4.0  # without a reading for so long the memory is not trusted
# A sign-out is dated by the start of its transaction and seen at its end, as late as the server lets one last.
OVERLAP_SECONDS = 20.0
# Two processes' clocks differ, and a token may be on its way out while its session is ended.
MARGIN_SECONDS = 60.0
_ENDED = Statement(
    sa.select(*as_text(Session.id)).where(Session.revoked_at > sa.func.now() - sa.bindparam("since"))
)


class Revocations:
    """``lifetime`` is how many seconds an access token lives, ``ended`` is called for each sign-out that was
    read from Postgres and not known yet."""

    def __init__(self, dsn: str, lifetime: float, ended: Callable[[str], None]) -> None:
        self._connect = Single(dsn, statement_timeout="2s")
        self.lifetime = lifetime
        self._kept_seconds = lifetime + MARGIN_SECONDS
        self._ended = ended
        self._forget_at: dict[str, float] = {}  # in the order of its times
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._soon = threading.Event()
        self._stopped = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="taskroom-revocations", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self._soon.set()

    def read_soon(self) -> None:
        """For when messages may have been missed; returns at once."""
        self._soon.set()

    @property
    def known(self) -> bool:
        """Whether the memory is as fresh as it must be; else Postgres has to be asked about the session."""
        read_at = self._read_at
        return read_at is not None and time.monotonic() - read_at < STALE_SECONDS

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._forget_at

    def __len__(self) -> int:
        return len(self._forget_at)

    def add(self, session_id: str) -> bool:
        """True when it was not known yet."""
        with self._lock:
            if session_id in self._forget_at:
                return False
            self._forget_at[session_id] = time.monotonic() + self._kept_seconds
            return True

    def read(self) -> None:
        """Takes in what was signed out since the last reading, and forgets what is too old to matter.
        Raises DatabaseUnavailable."""
        began = time.monotonic()
        # By this process's own clock: Postgres's only ever compares with itself.
        since = self._kept_seconds
        if self._read_at is not None:
            # Even after a long outage: a stream opened with a ticket lives longer than any access token.
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
            except Exception:  # the others would be known by the next reading, and so never be ended
                logger.exception("what a session had open could not be closed")

    def _run(self) -> None:
        failed = False
        while not self._stopped:
            self._soon.clear()
            try:
                self.read()
                failed = False
            except Exception as error:  # whatever it is, the next reading must come
                if not failed:
                    logger.warning(
                        "sign-outs cannot be read: %s",
                        error,
                        exc_info=not isinstance(error, DatabaseUnavailable),
                    )
                failed = True
                self._connect.close()
            self._soon.wait(READ_SECONDS)
        self._connect.close()
