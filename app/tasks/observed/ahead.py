"""What comes after an observed task, as its reporter knows it before any of it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import orjson
from msgspec import Meta, Struct
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.stream.event import clean

MOST = 24  # parts of a task; further ones are left out
LONGEST = 155  # characters of a name
LARGEST = 1_000_000


class Ahead(Struct, kw_only=True, omit_defaults=True):
    """Tasks of one name. Those with the same ``step`` begin together, after those of the step before it. With
    ``chord`` they wait for all tasks that name the same."""

    step: Annotated[int, Meta(ge=1, le=LARGEST)]
    job_type: Annotated[str, Meta(min_length=1)]
    task_id: Annotated[str, Meta(min_length=1, max_length=LONGEST)] | None = None  # of the first of them
    count: Annotated[int, Meta(ge=1, le=LARGEST)] = 1
    chord: bool = False


def rows_of(said: Sequence[Ahead], uuid_of: Callable[[str], str]) -> list[dict[str, Any]]:
    """Returns the parts as they are stored and shown, with the ids of tasks."""
    return [
        {
            "step": each.step,
            "job_type": clean(each.job_type[:LONGEST]),
            "task_id": uuid_of(each.task_id) if each.task_id else None,
            "count": each.count,
            "chord": each.chord,
        }
        for each in said[:MOST]
    ]


def size(rows: Mapping[str, Any]) -> int:
    """Returns the bytes that the budget of a reporter pays for."""
    return len(orjson.dumps(rows)) if rows else 0


def store(cur: Cursor, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Stores what comes after these tasks, by their ids."""
    if rows:
        cur.execute(
            """UPDATE tasks SET ahead = said.ahead FROM unnest(%s::uuid[], %s::json[]) AS said (id, ahead)
               WHERE tasks.id = said.id""",
            (list(rows), [Json(each) for each in rows.values()]),
        )
