"""Reads what is known of the tasks that a batch names: owners, and attempts by their names."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor


class KnownTask(NamedTuple):
    """``reported_id`` is the id as its reporter gave it, None while only others have named the task. ``first_id`` is
    the id under which its attempts are counted: of an attempt after the end, that of the first task."""

    user_id: str
    tenant: str | None
    observed: bool
    job_type: str
    reported_id: str | None
    lease_seconds: int | None
    first_id: str


class KnownAttempt(NamedTuple):
    """``number`` counts the attempts of the reported id, ``attempt`` those of the task. ``began_seq`` is the last
    sequence before it."""

    name: str
    number: int
    task_id: str
    attempt: int
    began_seq: int


class Attempts:
    """The attempts of reported ids: those that the batch names, and the newest of each id."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, str], KnownAttempt] = {}
        self._newest: dict[str, KnownAttempt] = {}

    @classmethod
    def read(cls, cur: Cursor, ids: Collection[str], named: Collection[tuple[str, str]]) -> Attempts:
        cur.execute(
            """SELECT reported_id::text, reported_attempts.name, number, task_id::text, attempt,
                   began_seq
               FROM unnest(%s::uuid[], %s::text[]) AS asked (id, name)
               JOIN reported_attempts ON reported_id = asked.id AND reported_attempts.name = asked.name
               UNION
               SELECT newest.* FROM unnest(%s::uuid[]) AS asked (id), LATERAL (
                   SELECT reported_id::text, name, number, task_id::text, attempt, began_seq FROM reported_attempts
                   WHERE reported_id = asked.id ORDER BY number DESC LIMIT 1) AS newest""",
            ([id for id, _ in named], [name for _, name in named], list(ids)),
        )
        found = cls()
        for id, *row in cur.fetchall():
            found.add(id, KnownAttempt(*row))
        return found

    def add(self, id: str, attempt: KnownAttempt) -> None:
        self._named[id, attempt.name] = attempt
        newest = self._newest.get(id)
        if newest is None or attempt.number > newest.number:
            self._newest[id] = attempt

    def named(self, id: str, name: str) -> KnownAttempt | None:
        return self._named.get((id, name))

    def newest(self, id: str) -> KnownAttempt | None:
        return self._newest.get(id)

    def task_of(self, id: str) -> str:
        """Returns the task that the id means now: that of its newest attempt."""
        newest = self._newest.get(id)
        return newest.task_id if newest else id


def known_tasks(cur: Cursor, ids: Collection[str]) -> dict[str, KnownTask]:
    """Returns those of the tasks that exist, whoever they belong to."""
    if not ids:
        return {}
    cur.execute(
        """SELECT id::text, user_id::text, tenant, observed, job_type, tasks.reported_id, lease_seconds,
               coalesce((SELECT reported_attempts.reported_id FROM reported_attempts
                         WHERE task_id = tasks.id LIMIT 1), id)::text
           FROM tasks WHERE id = ANY(%s::uuid[])""",
        (list(ids),),
    )
    return {id: KnownTask(*row) for id, *row in cur.fetchall()}
