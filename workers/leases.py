"""The runs of this process, of which the writer's thread renews the leases and finds out which should stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.stream.store import Appended
from app.stream.transaction import Hint, Transaction
from app.tasks.dispatch import started_steps
from app.tasks.parents import parent_progress
from workers.run import Run

# SKIP LOCKED: rounds lock the leases in an order of their own, and waiting for two of them could deadlock. A lease
# that a round has locked is renewed by the next call.
_RENEW = """UPDATE leases SET missed = 0 WHERE task_id IN (
    SELECT task_id FROM leases JOIN unnest(%s::uuid[], %s::int[]) AS held (task_id, attempt) USING (task_id, attempt)
    WHERE missed > 0 FOR NO KEY UPDATE OF leases SKIP LOCKED)"""


class Leases:
    """There are several runs at a time where the pool is one of threads or greenlets. Any thread adds and removes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Replaced, never changed: the writer's thread reads it without the lock.
        self._runs: tuple[Run, ...] = ()
        self._hints: list[Hint] = []

    def add(self, run: Run) -> None:
        with self._lock:
            self._runs = (*self._runs, run)

    @contextmanager
    def renewed(self, run: Run) -> Iterator[None]:
        """Renews the lease of the run for the length of the block."""
        self.add(run)
        try:
            yield
        finally:
            with self._lock:
                self._runs = tuple(other for other in self._runs if other is not run)

    def take_hints(self) -> list[Hint]:
        """The steps that were started by what this process has stored, once each. The caller sends a message for each
        of them: no other process does."""
        with self._lock:
            hints, self._hints = self._hints, []
        return hints

    def on_committed(self, appended: Appended) -> None:
        """Passes on to the runs what a commit found. Called by the writer's thread after each batch."""
        runs = self._runs
        for run in runs:
            if run.stream in appended.cancel_requested:
                run.cancel()
            if run.stream in appended.refused:
                # A newer attempt of the task may run here too: what was refused is of the older one.
                oldest = min(other.claim.attempt for other in runs if other.stream == run.stream)
                if run.claim.attempt == oldest:
                    run.supersede()
        if hints := list(started_steps(appended.events)):
            with self._lock:
                self._hints += hints

    def renew(self, tx: Transaction) -> None:
        """Renews the leases, looks which runs should stop, and reports the progress of steps to their parents. Called
        by the writer's thread about once a second.

        A forked child only looks: it may live on when the process that claimed is gone.
        """
        runs, cur = self._runs, tx.cur
        if not runs:
            return
        if claims := [run.claim for run in runs if not run.forked]:
            cur.execute(_RENEW, ([claim.task_id for claim in claims], [claim.attempt for claim in claims]))
        cur.execute(
            "SELECT name, attempt, attempt_given_up OR closed, cancel_requested FROM streams WHERE name = ANY(%s)",
            ([run.stream for run in runs],),
        )
        rows = {name: rest for name, *rest in cur}
        for run in runs:
            attempt, is_over, cancel_requested = rows.get(run.stream, (None, True, False))
            if attempt != run.claim.attempt or is_over:
                run.supersede()
            elif cancel_requested:
                run.cancel()
            else:
                _report_to_parent(tx, run)


def _report_to_parent(tx: Transaction, run: Run) -> None:
    if not run.claim.parent or run.forked or run.percent < run.parent_progress + 1:
        return
    if drafts := parent_progress(tx.cur, run.claim.task_id, run.percent, run.eta):
        run.parent_progress = run.percent
        tx.append(drafts)
