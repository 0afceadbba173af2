"""The job types that workers have declared, for processes that do not import the code of jobs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping

from app.config import QUEUE
from app.jobs import packages
from app.jobs.types import JobType
from app.stream.store import Connect, DatabaseUnavailable

logger = logging.getLogger("taskroom.jobs")

FRESH_SECONDS = 1.0  # how old an answer may be, while Postgres answers


def choice(types: Mapping[str, JobType]) -> str:
    """The message for a name that is none of these types."""
    if types:
        return f"One of: {', '.join(types)}."
    return "There are no job types: no worker has started yet."


class Catalog:
    """Reads Postgres when it is asked, at most every ``FRESH_SECONDS``, and at once for a type that is not known yet.
    While Postgres is away it has what it read last. For any threads."""

    def __init__(self, read: Connect, queues: Collection[str]) -> None:
        """``queues``: those that Celery workers serve."""
        self._read, self._queues = read, frozenset(queues)
        self._lock = threading.Lock()
        self._asked_at = -float("inf")
        self._rows: list[packages.Row] | None = None
        self._types: Mapping[str, JobType] = {}
        self._broken: Mapping[str, str] = {}

    def types(self) -> Mapping[str, JobType]:
        """By name, in the order of the names. Raises DatabaseUnavailable when Postgres is away and was never read."""
        self._refresh(time.monotonic() - FRESH_SECONDS)
        return self._types

    def broken(self) -> Mapping[str, str]:
        """The job files that a worker could not use, with the reasons. Raises DatabaseUnavailable as ``types`` does."""
        self._refresh(time.monotonic() - FRESH_SECONDS)
        return self._broken

    def having(self, names: Collection[str]) -> Mapping[str, JobType]:
        """As ``types``, read anew when one of these is not there."""
        if not self.types().keys() >= set(names):
            self._refresh(time.monotonic())
        return self._types

    def phases(self, name: str) -> Mapping[str, float | None]:
        """The phases that the type declares, by what was read last: it may be called within a transaction."""
        found = self._types.get(name)
        return found.phases if found else {}

    def queue_of(self, name: str) -> str | None:
        """Where messages of the type go; None when no Celery worker serves its queue, and somebody else claims its
        tasks. Of a type that is not known they go where most do: a message there does no harm."""
        try:
            found = self.having([name]).get(name)
        except DatabaseUnavailable:
            found = None
        queue = found.queue if found else QUEUE
        return queue if queue in self._queues else None

    def may_retry_lost(self, name: str, retry_count: int) -> bool:
        """Whether an attempt of the type is repeated after its worker is lost. Raises DatabaseUnavailable as ``types``
        does: a guess could end a task that must be tried again."""
        found = self.having([name]).get(name)
        return found is not None and found.retry_lost and retry_count < found.max_retries

    def _refresh(self, since: float) -> None:
        """Reads what is declared, unless that was done later than ``since``."""
        if self._asked_at >= since:
            return
        with self._lock:
            if self._asked_at >= since:
                return  # a crowd waited for one of them
            began = time.monotonic()
            try:
                with self._read() as conn, conn.cursor() as cur:
                    found = packages.rows(cur)
            except DatabaseUnavailable as error:
                if self._rows is None:
                    raise
                logger.debug("job types are as they were read last: %s", error)
            else:
                if found != self._rows:
                    self._take(found)
            self._asked_at = began

    def _take(self, found: list[packages.Row]) -> None:
        types = {each.name: each for row in found for each in row.declared_types()}
        self._types = dict(sorted(types.items()))
        self._broken = dict(sorted(pair for row in found for pair in row.broken_files().items()))
        self._rows = found
