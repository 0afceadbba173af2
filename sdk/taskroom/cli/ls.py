"""``taskroom ls``: the newest runs."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from taskroom.cli.api import Api
from taskroom.cli.faults import Fault
from taskroom.cli.settings import settings
from taskroom.cli.text import columns_of, duration, fitted, moment, one_line

STATUSES = ("PENDING", "WAITING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED")
PAGE, MOST = 200, 10_000
HEADS = ("RUN", "STATUS", "DONE", "TYPE", "AGE", "TOOK", "TITLE")
SHORT_ID = 8
TYPE_COLUMNS = 24  # at most


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--status", type=str.upper, choices=STATUSES, help="only those with this status")
    parser.add_argument("--type", metavar="TYPE", help="only those of this job type")
    parser.add_argument(
        "--limit", type=int, default=20, metavar="N", help=f"so many, at most {MOST:,} (default: %(default)s)"
    )
    parser.add_argument("--tenant", action="store_true", help="those of the whole tenant")
    parser.add_argument("--json", action="store_true", help="each as a line of JSON")


def call(given: argparse.Namespace) -> int:
    if not 1 <= given.limit <= MOST:
        raise Fault(f"--limit is a number from 1 to {MOST:,}, not {given.limit}")
    rows = list(_newest(Api(settings(given)), given))
    if given.json:
        for row in rows:
            print(json.dumps(row))
    elif rows:
        for line in table(rows, datetime.now(timezone.utc), _width()):
            print(line)
    return 0


def _newest(api: Api, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yields as many runs as are wanted. A page may be short, and others come after it."""
    left, cursor = given.limit, None
    scope = "tenant" if given.tenant else None
    while left:
        page = api.get(
            "tasks",
            limit=min(left, PAGE),
            cursor=cursor,
            status=given.status,
            job_type=given.type,
            scope=scope,
        )
        yield from page["tasks"]
        left -= len(page["tasks"])
        cursor = page["next"]
        if cursor is None:
            return


def table(rows: Sequence[Mapping[str, Any]], now: datetime, width: int | None) -> Iterator[str]:
    """Yields the lines of the table, the last column cut so that none is wider than ``width``."""
    ids = [row["task_id"] for row in rows]
    length = SHORT_ID if len({id[:SHORT_ID] for id in ids}) == len(ids) else len(ids[0])
    cells = [HEADS, *(_cells(row, length, now) for row in rows)]
    columns = [max(columns_of(line[n]) for line in cells) for n in range(len(HEADS) - 1)]
    before = sum(columns) + 2 * len(columns)
    for line in cells:
        title = line[-1]
        if width is not None and columns_of(title) > max(width - before, 1):
            title = fitted(title, max(width - before, 1))
        yield "  ".join([*map(fitted, line[:-1], columns), title]).rstrip()


def _cells(row: Mapping[str, Any], length: int, now: datetime) -> tuple[str, ...]:
    begin, end = row["started_at"], row["finished_at"]
    took = ((moment(end) if end else now) - moment(begin)).total_seconds() if begin else None
    known = row["progress_known"] is not False
    kind = one_line(row["job_type"])
    return (
        row["task_id"][:length],
        row["status"],
        f"{row['progress']:.0f}%" if known or row["status"] == "SUCCESS" else "",
        kind if columns_of(kind) <= TYPE_COLUMNS else fitted(kind, TYPE_COLUMNS),
        duration((now - moment(row["created_at"])).total_seconds()),
        "" if took is None else duration(took),
        one_line(row["title"]),
    )


def _width() -> int | None:
    """The columns of the terminal, or as many as COLUMNS says; None where lines may have any length."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None
