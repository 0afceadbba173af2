"""The job types of tasks that exist, also of types that no worker has declared."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg2.extensions import cursor as Cursor

MOST_TYPES = 200

# Literal, for it is recursive: one look-up in an index for each type, however many tasks there are.
_TYPES = """WITH RECURSIVE found (name) AS (
        (SELECT job_type FROM tasks WHERE {whose} ORDER BY job_type LIMIT 1)
      UNION ALL
        SELECT (SELECT job_type FROM tasks WHERE {whose} AND job_type > found.name ORDER BY job_type LIMIT 1)
        FROM found WHERE found.name IS NOT NULL)
    SELECT name FROM found WHERE name IS NOT NULL LIMIT %(most)s"""
_OF = {name: _TYPES.format(whose=f"{name} = %(whose)s") for name in ("user_id", "tenant")}


def task_types(cur: Cursor, whose: Mapping[str, str]) -> list[str]:
    """Returns the job types of the tasks of a user (``user_id``) or of a ``tenant``, sorted, so many at most."""
    ((name, value),) = whose.items()
    cur.execute(_OF[name], {"whose": value, "most": MOST_TYPES})
    return [job_type for (job_type,) in cur]
