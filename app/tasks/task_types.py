"""The job types and the owners of the tasks of a list, also of types that no worker has declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import as_text, composed
from app.models.tasks import TaskCount
from app.tasks.list_filter import where

MOST_TYPES = 200
MOST_OWNERS = 200

# Literal, for it is recursive: one look-up in an index for each type, however many tasks there are.
_TYPES = """WITH RECURSIVE found (name) AS (
        (SELECT job_type FROM {table} WHERE {whose} ORDER BY job_type LIMIT 1)
      UNION ALL
        SELECT (SELECT job_type FROM {table} WHERE {whose} AND job_type > found.name ORDER BY job_type LIMIT 1)
        FROM found WHERE found.name IS NOT NULL)
    SELECT name FROM found WHERE name IS NOT NULL LIMIT %(most)s"""
_OF = {name: _TYPES.format(table="tasks", whose=f"{name} = %(whose)s") for name in ("user_id", "tenant")}
# Of all tasks there is no index of types; of their sums there is.
_OF["everyone"] = _TYPES.format(table="run_sums", whose="%(whose)s")


def task_types(cur: Cursor, whose: Mapping[str, Any]) -> list[str]:
    """Returns the job types of the tasks of a user (``user_id``), of a ``tenant`` or of ``everyone``, sorted, so many
    at most."""
    ((name, value),) = whose.items()
    cur.execute(_OF[name], {"whose": value, "most": MOST_TYPES})
    return [job_type for (job_type,) in cur]


def task_owners(cur: Cursor, whose: Mapping[str, Any]) -> list[str]:
    """Returns the ids of the users that these tasks are of: of those that have the most, so many at most."""
    return [user_id for (user_id,) in _owners(next(iter(whose))).execute(cur, **whose, most=MOST_OWNERS)]


@composed
def _owners(of: str) -> sa.Select[Any]:
    number = sa.func.sum(TaskCount.number)
    found = sa.select(*as_text(TaskCount.user_id)).where(where(frozenset({of} - {"everyone"}), TaskCount))
    owners = found.group_by(TaskCount.user_id).having(number > 0).order_by(number.desc(), TaskCount.user_id)
    return owners.limit(sa.bindparam("most"))
