"""The job types that workers have declared, for processes that do not import the code of jobs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping

import orjson

from app.config import QUEUE
from app.jobs import packages
from app.jobs.types import JobType
from app.stream.store import Connect, DatabaseUnavailable

logger = logging.getLogger("taskroom.jobs")

FRESH_SECONDS = 1.0  # the greatest age of a result while Postgres is available


def unknown_type_message(types: Mapping[str, JobType]) -> str:
    """Returns the message for a name that is none of these types."""
    if types:
        return f"One of: {', '.join(types)}."
    return "There are no job types: no worker has started yet."


class Catalog:
    """Reads Postgres when it is called, at most every ``FRESH_SECONDS``, and at once for an unknown type. While
    Postgres is unavailable, it returns the last result. Callable from any thread."""

    def __init__(self, read: Connect, queues: Collection[str]) -> None:
        """``queues``: the queues of Celery workers."""
        self._read, self._queues = read, frozenset(queues)
        self._lock = threading.Lock()
        self._tried_at = -float("inf")
        self._rows: list[packages.Row] | None = None
        self._types: Mapping[str, JobType] = {}
        self._broken: Mapping[str, str] = {}

    def types(self) -> Mapping[str, JobType]:
        """Returns the types by name, sorted. Raises DatabaseUnavailable while Postgres was never read."""
        self._refresh(time.monotonic() - FRESH_SECONDS)
        return self._types

    def broken(self) -> Mapping[str, str]:
        """Returns the job files that a worker could not use, with errors. Raises DatabaseUnavailable like ``types``."""
        self._refresh(time.monotonic() - FRESH_SECONDS)
        return self._broken

    def types_with(self, names: Collection[str]) -> Mapping[str, JobType]:
        """Like ``types``; reads Postgres again when one of these names is unknown."""
        if not self.types().keys() >= set(names):
            self._refresh(time.monotonic())
        return self._types

    def phases(self, name: str) -> Mapping[str, float | None]:
        """Returns the type's phases. Never reads Postgres: it may be called within a transaction."""
        found = self._types.get(name)
        return found.phases if found else {}

    def queues(self) -> dict[str, str]:
        """Returns the queue of each type. Raises DatabaseUnavailable like ``types``."""
        return {name: found.queue for name, found in self.types().items()}

    def queue_of(self, name: str) -> str | None:
        """Returns the Celery queue of a type; None when its tasks are claimed by other workers. For an unknown type it
        is the default queue: a message there does no harm."""
        try:
            found = self.types_with([name]).get(name)
        except DatabaseUnavailable:
            found = None
        queue = found.queue if found else QUEUE
        return queue if queue in self._queues else None

    def may_retry_lost(self, name: str, retry_count: int) -> bool:
        """Returns whether an attempt is repeated after its worker is lost. Raises DatabaseUnavailable like ``types``: a
        guess could end a task that must be tried again."""
        found = self.types_with([name]).get(name)
        return found is not None and found.retry_lost and retry_count < found.max_retries

    def _refresh(self, since: float) -> None:
        """Reads the declarations, unless they were read after ``since``."""
        if self._tried_at >= since:
            return
        with self._lock:
            if self._tried_at >= since:
                return  # many callers waited for one read
            began = time.monotonic()
            try:
                with self._read() as conn, conn.cursor() as cur:
                    found = packages.rows(cur)
            except DatabaseUnavailable as error:
                if self._rows is None:
                    raise
                logger.debug("the job types of the last read stay in use: %s", error)
            else:
                if found != self._rows:
                    self._replace(found)
            self._tried_at = began

    def _replace(self, found: list[packages.Row]) -> None:
        types = {each["name"]: JobType.from_json(each) for row in found for each in orjson.loads(row.types)}
        self._types = dict(sorted(types.items()))
        self._broken = dict(sorted(pair for row in found for pair in orjson.loads(row.broken).items()))
        self._rows = found
