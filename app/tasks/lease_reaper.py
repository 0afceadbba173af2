"""The lease reaper: every few seconds one web process counts missed renewals, ends attempts whose worker is gone and
nodes whose tasks have ended, and sends hints again for tasks that no worker claimed.

It counts rounds, not seconds. Without Postgres there is no round, so neither an outage nor a changed clock ends a
healthy task.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from psycopg2.extensions import cursor as Cursor

from app.db.persistent import PersistentConnection
from app.errors import causes
from app.errors.survived import survived
from app.periodic import Periodic
from app.stream.store import Connect, DatabaseUnavailable
from app.stream.transaction import Begin, Transaction
from app.tasks.dispatch import Dispatcher, hints_of
from app.tasks.lifecycle import expire_lease
from app.tasks.observed.groups import end_group, quiet_groups
from app.tasks.observed.leases import expire

logger = logging.getLogger("taskroom.reaper")

MISSED_LIMIT = 4  # rounds, of our workers; the lease of an observed attempt says its own
LOST_MOST = 200  # attempts that are ended in one round; more are ended in the next
LOCK_KEY = 7_465_736_101  # any number that nobody else takes an advisory lock on
LEADER_SECONDS = 20.0  # at least; a leader that is stopped, not dead, loses the lock after this


class LeaseReaper:
    """Runs in every web process; the one that holds the advisory lock does the work.

    ``broker_run_id`` returns the id of this run of the broker, which changes with every restart.
    """

    def __init__(
        self,
        dsn: str,
        dispatcher: Dispatcher,
        transactions: Callable[[Connect, Callable[[Transaction], object]], Begin],
        broker_run_id: Callable[[], str],
        may_retry: Callable[[str, int], bool],
        seconds: float = 5.0,
        fill: Callable[[Connect], int] = lambda connect: 0,
        report: Callable[[Connect], object] = lambda connect: None,
    ) -> None:
        leader = max(LEADER_SECONDS, MISSED_LIMIT * seconds)  # its session is idle between two rounds
        self._connect = PersistentConnection(dsn, idle_session_timeout=f"{leader:.0f}s")
        self._dispatcher = dispatcher
        self._begin = transactions(self._connect, self._committed)
        self._broker_takes = True  # a broker that hangs delays one task of a round, not each
        self._broker_run_id, self._may_retry = broker_run_id, may_retry
        self._seconds, self._fill, self._report = seconds, fill, report
        self.thread = Periodic("rounds", seconds, self.round, at_end=self._connect.close)
        self._last_round: float | None = None
        self._run_id: str | None = None
        self.leads = False
        self.lost = 0  # attempts, since the start

    def round(self) -> None:
        """Runs one round if this process leads. Raises DatabaseUnavailable, and leads no more."""
        try:
            self._lead_round()
        except DatabaseUnavailable:
            self._last_round, self.leads = None, False
            raise

    def _lead_round(self) -> None:
        with self._connect() as conn, conn.cursor() as cur:
            self.leads = self._leads(cur)
            if not self.leads:
                self._last_round = None
                return
            lost = self._count(cur)
            quiet = quiet_groups(cur, self._seconds)
        try:
            self._broker_takes = True
            for task_id, attempt, job_type, retry_count, observed in lost:
                with _alone(task_id):
                    retry = None if observed else self._may_retry(job_type, retry_count)
                    self._expire(task_id, attempt, retry)
            for task_id in quiet:
                with _alone(task_id), self._begin() as tx:
                    end_group(tx, task_id)
            self._resend()
            self._report(self._connect)
        finally:
            # Leases were counted at the beginning of a round, which may be long: a pause is measured from its end.
            self._last_round = time.monotonic()

    def _leads(self, cur: Cursor) -> bool:
        """Session locks add up, so the lock is requested only when this session does not hold it."""
        cur.execute(
            """SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted)
               OR pg_try_advisory_lock(%s)""",
            (LOCK_KEY,),
        )
        row = cur.fetchone()
        return bool(row and row[0])

    def _count(self, cur: Cursor) -> list[tuple[str, int, str, int, bool]]:
        """Adds a missed round to every lease; returns the leases that have expired.

        After a pause (a new leader, a stopped process, Postgres unavailable) no worker could renew: all counts restart.
        A lease that another transaction has locked is being renewed or dropped. To wait for it could deadlock with a
        batch that drops several leases.
        """
        at = time.monotonic()
        paused = self._last_round is None or at - self._last_round > 2 * self._seconds
        if paused:
            cur.execute(
                """UPDATE leases SET missed = 0 WHERE task_id IN (
                       SELECT task_id FROM leases WHERE missed > 0 FOR NO KEY UPDATE SKIP LOCKED)"""
            )
            return []
        cur.execute(
            """WITH counted AS (
                   UPDATE leases SET missed = missed + 1
                   WHERE task_id IN (SELECT task_id FROM leases FOR NO KEY UPDATE SKIP LOCKED)
                   RETURNING task_id, attempt, missed, rounds)
               SELECT task_id::text, attempt, job_type, retry_count, observed
               FROM counted JOIN tasks ON tasks.id = task_id
               WHERE missed >= rounds ORDER BY missed - rounds DESC LIMIT %s""",
            (LOST_MOST,),
        )
        return cur.fetchall()

    def _expire(self, task_id: str, attempt: int, retry: bool | None) -> None:
        """``retry`` is None for an observed task, which we never run."""
        with self._begin() as tx:
            ended = (
                expire(tx, task_id, attempt) if retry is None else expire_lease(tx, task_id, attempt, retry)
            )
        if ended:
            logger.warning("task %s lost its worker", task_id)
        self.lost += ended

    def _committed(self, tx: Transaction) -> None:
        self._broker_takes = self._broker_takes and self._dispatcher.send_hints(hints_of(tx))

    def _resend(self) -> None:
        run_id = self._broker_run_id()  # raises while Redis is unavailable
        if self._run_id != run_id and self._has_hints(run_id):
            self._run_id = run_id
        self._dispatcher.resend(self._connect, everything=self._run_id != run_id)
        self._fill(self._connect)
        if self._run_id != run_id:
            self._remember(run_id)

    def _has_hints(self, run_id: str) -> bool:
        """Whether an earlier leader has sent all hints to the Redis of this run id."""
        with self._connect() as conn, conn.cursor() as cur:
            cur.execute("SELECT 1 FROM broker_runs WHERE run_id = %s", (run_id,))
            return cur.fetchone() is not None

    def _remember(self, run_id: str) -> None:
        with self._connect() as conn, conn.cursor() as cur:
            cur.execute("DELETE FROM broker_runs")
            cur.execute("INSERT INTO broker_runs (run_id) VALUES (%s)", (run_id,))
        self._run_id = run_id


@contextmanager
def _alone(task_id: str) -> Iterator[None]:
    """Logs an error of one task, which must not keep others from their end; raises a temporary one."""
    try:
        yield
    except Exception as error:
        if causes.of(error).is_temporary:
            raise
        survived(logger, error, "task %s could not be ended in this round", task_id)
