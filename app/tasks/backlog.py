"""What there is to do, as Postgres has it: the same from every process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.stream.store import Connect


@dataclass(frozen=True, slots=True)
class Backlog:
    unfinished: Mapping[str, int]  # tasks by status, but for those that have ended
    due: int  # tasks that a worker may claim now
    oldest_seconds: float  # since the first of them could be claimed
    leases: int  # attempts that run
    missed: int  # rounds of the one that was silent for longest


def backlog(read: Connect) -> Backlog:
    """Raises StoreAway."""
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
