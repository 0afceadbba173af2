"""Batches of observed tasks in a database of the test's own, without web."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import orjson

from app.broker import BrokerDown
from app.projections import project
from app.stream.store import Appended
from app.stream.transaction import Transaction, Transactions
from app.tasks.dispatch import Dispatcher
from app.tasks.lease_reaper import LeaseReaper
from app.tasks.observed.batch import ObservedBatch, store_batch
from app.tasks.observed.fleet import QueueEntry, WorkerEntry
from app.tasks.observed.lookups import Lookups
from app.tasks.observed.part import Part
from app.tasks.observed.reporter import Reporter
from app.tasks.observed.schedules import ScheduleEntry
from tests.tasks.helpers import Tasks

ROUND_SECONDS = 5.0


class Program:
    """A process that reports. ``budget``: the bytes that a user may store in a day."""

    def __init__(self, tasks: Tasks, budget: int = 0, tenant: str | None = None) -> None:
        self.tasks, self.lookups = tasks, Lookups(budget)
        self.reporter = Reporter(tasks.user_id, "ann@example.org", tenant, tasks.user_id)
        self.writer, self.number = str(uuid.uuid4()), 0

    def send(self, *parts: dict[str, Any], **other: Any) -> dict[str, Any]:
        batch = self.batch(*parts, **other)
        with self.tasks.transaction() as tx:
            return self.store(tx, batch)

    def store(self, tx: Transaction, batch: ObservedBatch) -> dict[str, Any]:
        return store_batch(tx, batch, self.lookups, ROUND_SECONDS)

    def batch(self, *parts: dict[str, Any], **other: Any) -> ObservedBatch:
        """Returns the next batch."""
        self.number += 1
        return ObservedBatch(
            self.reporter,
            self.writer,
            self.number,
            digest=str(self.number),
            parts=[_decoded(part, Part) for part in parts],
            workers=[_decoded(entry, WorkerEntry) for entry in other.get("workers", ())],
            queues=[_decoded(entry, QueueEntry) for entry in other.get("queues", ())],
            schedules=[_decoded(entry, ScheduleEntry) for entry in other.get("schedules", ())],
            host_url="http://here",
        )


def _decoded(value: dict[str, Any], kind: Callable[..., Any]) -> Any:
    return msgspec.json.decode(orjson.dumps(value), type=kind)


class Rounds:
    """A web process's rounds, turned by hand; a test that sends a hint fails."""

    def __init__(self, tasks: Tasks, may_retry: bool = False, seconds: float = ROUND_SECONDS) -> None:
        self.published: list[Appended] = []
        self.reaper = LeaseReaper(
            tasks.database,
            Dispatcher(self._send, lambda job_type: "taskroom"),
            lambda connect, committed: Transactions(connect, project, self.published.append, committed),
            lambda: "one",
            lambda job_type, retry_count: may_retry,
            seconds=seconds,
        )
        self.reaper._last_round = float("inf")  # however slow the machine is, no pause is noticed

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.reaper._last_round = float("inf")
            self.reaper.round()

    def _send(self, *message: Any) -> None:
        raise BrokerDown(f"nothing of an observed task goes to a broker: {message}")


@contextmanager
def rounds(tasks: Tasks, **how: Any) -> Iterator[Rounds]:
    turned = Rounds(tasks, **how)
    try:
        yield turned
    finally:
        turned.reaper._connect.close()
