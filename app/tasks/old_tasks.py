"""Goes through tasks of a certain age, page by page and for a limited time, so that a worker is soon free again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from app.db.statements import Statement
from app.stream.store import Connect

RUN_SECONDS = 60.0  # of a worker's time; the next run goes on
PAGE_TASKS = 200  # found by one statement
# The key (time, id) before all others.
FIRST = "-infinity", "00000000-0000-0000-0000-000000000000"

Key = tuple[str, str]


def each(
    connect: Connect,
    found: Statement,
    days: int,
    seconds: float,
    do: Callable[[str], int],
    log: logging.Logger,
) -> int:
    """Calls ``do`` with the id of each task that ``found`` finds, for up to ``seconds``; returns the sum of results."""
    total, until, after = 0, time.monotonic() + seconds, FIRST
    while keys := page(connect, found, days, after):
        for after in keys:
            if time.monotonic() >= until:
                log.info("%d tasks are done in the time of this run; the next run goes on", total)
                return total
            total += do(after[1])
    return total


def page(connect: Connect, found: Statement, days: int, after: Key) -> list[Key]:
    """Returns the keys (time, id) of the tasks that ``found`` finds after a key, in their order."""
    with connect() as conn, conn.cursor() as cur:
        given = {"age": timedelta(days=days), "since": after[0], "after": after, "page": PAGE_TASKS}
        return found.execute(cur, **given).fetchall()
