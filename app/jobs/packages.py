"""The declarations of job types in Postgres: a row for each package of jobs. Each worker writes its rows at start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import orjson
from psycopg2.extensions import cursor as Cursor

from app.jobs.types import JobType

FORGOTTEN_DAYS = 7  # a package is removed after this time without a worker that has it


@dataclass(frozen=True, slots=True)
class Declaration:
    """The job types that a worker found in a package, and the error of each file that it cannot use."""

    package: str
    types: Sequence[JobType] = ()
    broken: dict[str, str] = field(default_factory=dict)


class Row(NamedTuple):
    """Both are JSON text, not parsed: they are read often and change seldom."""

    types: str
    broken: str


def declare(cur: Cursor, declarations: Iterable[Declaration]) -> None:
    """Replaces the declarations of these packages. Removes packages that no worker has had for ``FORGOTTEN_DAYS``."""
    # All workers lock rows in the same order.
    for found in sorted(declarations, key=lambda each: each.package):
        cur.execute(
            """INSERT INTO job_packages (package, types, broken) VALUES (%s, %s, %s)
               ON CONFLICT (package) DO UPDATE SET types = EXCLUDED.types, broken = EXCLUDED.broken,
                   declared_at = now(), seen_at = now()""",
            (found.package, _json([asdict(each) for each in found.types]), _json(found.broken)),
        )
    cur.execute(
        "DELETE FROM job_packages WHERE seen_at < now() - make_interval(days => %s)", (FORGOTTEN_DAYS,)
    )


def mark_seen(cur: Cursor, packages: Iterable[str]) -> int:
    """Records that a worker with these packages is alive; returns how many of them are declared."""
    cur.execute("UPDATE job_packages SET seen_at = now() WHERE package = ANY(%s)", (sorted(packages),))
    return cur.rowcount


def rows(cur: Cursor) -> list[Row]:
    """Returns all rows, the oldest first: when two packages declare a type of the same name, the later one is used."""
    cur.execute("SELECT types::text, broken::text FROM job_packages ORDER BY declared_at, package")
    return [Row(*row) for row in cur]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
