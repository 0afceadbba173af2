"""Counts of the queue in Postgres; every process reads the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.stream.store import Connect


@dataclass(frozen=True, slots=True)
class Backlog:
    unfinished: Mapping[str, int]  # tasks that have not ended, by status
    due: int  # tasks that a worker may claim now
    oldest_seconds: float  # since the oldest due task became due
    leases: int  # running attempts
    missed: int  # missed rounds of the lease that was not renewed for longest


def backlog(read: Connect) -> Backlog:
    """Reads the counts. Raises StoreAway."""
    with read() as conn, conn.cursor() as cur:
        cur.execute(
            """SELECT (SELECT json_object_agg(status, tasks) FROM (
                    SELECT status, count(*) AS tasks FROM tasks WHERE finished_at IS NULL GROUP BY status) AS open),
                due.*, leases.*
                FROM (SELECT count(*), coalesce(extract(epoch FROM now() - min(due_at)), 0)::float
                      FROM dispatches WHERE due_at <= now()) AS due,
                     (SELECT count(*), coalesce(max(missed), 0) FROM leases) AS leases"""
        )
        unfinished, *rest = cur.fetchall()[0]
    return Backlog(unfinished or {}, *rest)
