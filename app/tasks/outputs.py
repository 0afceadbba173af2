"""Outputs of tasks: files that a job has saved. Each has a row, which the event ``output`` makes, and a content in a
storage."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import PurePath
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.db.statements import Statement, as_text
from app.models.base import Ids
from app.models.tasks import Output
from app.storage import Storage, Stored
from app.stream.event import Draft, clean
from app.stream.store import Connect
from app.tasks.old_tasks import RUN_SECONDS

logger = logging.getLogger("taskroom.outputs")

MOST = 100  # of a task
LONGEST_NAME = 128
LEAST_BYTES = 16 * 1024  # that an output counts in the sum of all, so that small ones have an end too
ORPHAN_SECONDS = 3_600.0  # a file without a row: its event is still to be stored, but not for so long
SWEPT_AT_ONCE = 500

UNKNOWN_TYPE = "application/octet-stream"
# No type that a browser would execute, such as those of HTML, SVG and XML.
TYPES: Mapping[str, str] = {
    **dict.fromkeys((".txt", ".log", ".md"), "text/plain; charset=utf-8"),
    ".csv": "text/csv; charset=utf-8",
    ".tsv": "text/tab-separated-values; charset=utf-8",
    ".json": "application/json",
    **dict.fromkeys((".jsonl", ".ndjson"), "application/x-ndjson"),
    ".pdf": "application/pdf",
    ".png": "image/png",
    **dict.fromkeys((".jpg", ".jpeg"), "image/jpeg"),
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".zip": "application/zip",
    ".gz": "application/gzip",
    ".tar": "application/x-tar",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# Of a path or of a shell, and marks that change the direction of text: "gpj.exe" read from the right is a picture.
_UNSAFE = re.compile(r'[/\\<>:"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')


class OutputFile(NamedTuple):
    name: str
    attempt: int
    size: int
    content_type: str
    sequence: int
    created_at: str


_ROW = as_text(*(getattr(Output, name) for name in OutputFile._fields))
_of_task = Output.task_id == sa.bindparam("task")
_LIST = Statement(sa.select(*_ROW).where(_of_task).order_by(Output.name))
_ONE = Statement(sa.select(*_ROW).where(_of_task, Output.name == sa.bindparam("name")))
_ALL_BYTES = Statement(
    sa.select(
        sa.cast(sa.func.coalesce(sa.func.sum(sa.func.greatest(Output.size, LEAST_BYTES)), 0), sa.BigInteger)
    )
)
_OF_TASKS = Statement(
    sa.select(*as_text(Output.task_id), Output.attempt, Output.name).where(
        Output.task_id == sa.any_(sa.bindparam("tasks", type_=Ids))
    )
)


def output_name(name: str) -> str:
    """Returns the name. Raises ValueError for one that no file of a user's machine should have."""
    why = (
        f"has more than {LONGEST_NAME} characters"
        if len(name) > LONGEST_NAME
        else "has characters that file names must not have"
        if clean(name) != name or not name.isprintable() or _UNSAFE.search(name)
        else "is empty or begins with a dot"
        if not name or name.startswith(".")
        else "begins or ends with a space or ends with a dot"
        if name != name.strip(" ") or name.endswith(".")
        else None
    )
    if why:
        raise ValueError(f"the name {name[:200]!a} {why}")
    return name


def type_of(name: str) -> str:
    return TYPES.get(PurePath(name).suffix.lower(), UNKNOWN_TYPE)


def key_of(task_id: str, attempt: int, name: str) -> str:
    """Returns the key of the content. It follows from the row, and no name is one of a file here."""
    return f"{task_id}/{attempt:x}-{hashlib.sha256(name.encode()).hexdigest()[:40]}"


def output_event(name: str, size: int) -> dict[str, Any]:
    """Returns the fields of the event that makes the row."""
    return {"name": name, "size": size, "content_type": type_of(name)}


def output_change(task_id: str, draft: Draft, sequence: int) -> tuple[str, tuple[Any, ...]]:
    """Returns the statement that makes the row of an event, with its values. An output of the same name is replaced."""
    assert draft.data is not None
    values = (draft.data[name] for name in ("name", "size", "content_type", "timestamp"))
    # Literal, like all that changes rows together with their event.
    return (
        """INSERT INTO outputs (task_id, attempt, sequence, name, size, content_type, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (task_id, name) DO UPDATE SET attempt = EXCLUDED.attempt, sequence = EXCLUDED.sequence,
               size = EXCLUDED.size, content_type = EXCLUDED.content_type, created_at = EXCLUDED.created_at""",
        (task_id, draft.attempt, sequence, *values),
    )


def list_outputs(cur: Cursor, task_id: str) -> list[OutputFile]:
    """Returns the outputs of a task by name; ``MOST`` at most."""
    return [OutputFile(*row) for row in _LIST.execute(cur, task=task_id).fetchall()]


def find_output(cur: Cursor, task_id: str, name: str) -> OutputFile | None:
    row = _ONE.execute(cur, task=task_id, name=name).fetchone()
    return OutputFile(*row) if row else None


def bytes_of_all(cur: Cursor) -> int:
    """Returns what all outputs take, each ``LEAST_BYTES`` at least."""
    return int(_ALL_BYTES.execute(cur).fetchall()[0][0])


def delete_orphans(connect: Connect, storage: Storage, seconds: float = RUN_SECONDS) -> int:
    """Deletes what no row refers to: outputs of removed tasks, replaced ones, and those whose event was not stored.
    Returns how many; the next run goes on after ``seconds``. Raises OSError and DatabaseUnavailable."""
    gone, until = 0, time.monotonic() + seconds
    old = (file for file in storage.stored() if file.age > ORPHAN_SECONDS)
    for files in _batches(old):
        if time.monotonic() > until:
            logger.info(
                "%d files without a run are deleted in the time of this run; the next run goes on", gone
            )
            break
        known = _known(connect, {task_id for file in files if _is_id(task_id := file.key.partition("/")[0])})
        for file in files:
            if file.key not in known:
                storage.delete(file.key)
                gone += 1
    return gone


def _batches(files: Iterator[Stored]) -> Iterator[list[Stored]]:
    while batch := list(islice(files, SWEPT_AT_ONCE)):
        yield batch


def _known(connect: Connect, tasks: set[str]) -> set[str]:
    with connect() as conn, conn.cursor() as cur:
        return {key_of(*row) for row in _OF_TASKS.execute(cur, tasks=list(tasks)).fetchall()}


def _is_id(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None
