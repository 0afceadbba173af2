"""A user and tasks in a database of the test's own, without web and without workers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from app.db.persistent import PersistentConnection
from app.projections import project
from app.stream.event import Draft, draft, now, task_stream
from app.stream.store import Appended
from app.stream.transaction import Transaction, Transactions
from app.tasks import lifecycle
from app.tasks.endings import ending
from app.tasks.fold import State, empty, fold
from app.tasks.lifecycle import Claim
from app.tasks.projection import load
from tests.stream.helpers import sql


class Tasks:
    """Transitions of tasks, each in its own transaction on one connection."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.connect = PersistentConnection(database)
        self.transaction = Transactions(self.connect, project, lambda appended: None)
        self.user_id = self.add_user()

    def add_user(self, tenant: str | None = None, role: str = "operator") -> str:
        statement = "INSERT INTO users (email, password_hash, role, tenant) VALUES (%s, 'x', %s, %s) RETURNING id::text"
        return str(sql(self.database, statement, f"{uuid.uuid4().hex}@example.org", role, tenant)[0][0])

    def create(self, **more: Any) -> str:
        fields = {
            "user_id": self.user_id,
            "job_type": "emit_load",
            "title": "A title",
            "intent": "execute_command",
        }
        with self.transaction() as tx:
            return lifecycle.create(tx, **{**fields, "params": {"n": 1}, **more})

    def claim(self, task_id: str, number: int = 1) -> Claim | None:
        with self.transaction() as tx:
            return lifecycle.claim(tx, task_id, number, "w@host")

    def started(self) -> str:
        task_id = self.create()
        assert self.claim(task_id)
        return task_id

    def cancel(self, task_id: str) -> Appended:
        with self.transaction() as tx:
            lifecycle.cancel(tx, task_id, "a@example.org")
        return tx.appended

    def expire_lease(self, task_id: str, attempt: int = 1, retry: bool = False) -> Appended:
        with self.transaction() as tx:
            lifecycle.expire_lease(tx, task_id, attempt, retry)
        return tx.appended

    @contextmanager
    def of_any_thread(self) -> Iterator[Transaction]:
        """A transaction on a connection of its own."""
        connect = closing(PersistentConnection(self.database))
        with connect as own, Transactions(own, project, lambda appended: None)() as tx:
            yield tx

    def append(self, drafts: Sequence[Draft]) -> Appended:
        with self.transaction() as tx:
            return tx.append(drafts)

    def end(self, task_id: str, status: str = "SUCCESS", attempt: int = 1, **more: Any) -> Appended:
        """Ends the task as the worker of that attempt does."""
        stream = task_stream(task_id)
        fields = {"job_type": "emit_load", "progress": 10, "run_ms": 1.0, **more}
        return self.append(ending(stream, status, attempt=attempt, **fields))

    def open_phase(self, task_id: str, phase: str = "read", progress: float = 30) -> None:
        fields = {
            "timestamp": now(),
            "phase_id": phase,
            "status": "active",
            "message": "Reading",
            "progress": progress,
        }
        self.append([draft(task_stream(task_id), "phase_update", fields, attempt=1)])

    def state(self, task_id: str) -> State:
        stream = task_stream(task_id)
        with self.connect() as connection, connection.cursor() as cur:
            return load(cur, [stream])[stream]

    def events(self, task_id: str) -> list[dict[str, Any]]:
        """Returns all events of the task as viewers get them, each with its type."""
        rows = sql(
            self.database,
            """SELECT type, payload::json FROM events
               WHERE stream_id = (SELECT id FROM streams WHERE name = %s) ORDER BY seq""",
            task_stream(task_id),
        )
        return [{"type": type, **payload} for type, payload in rows]

    def statuses(self, task_id: str) -> list[str]:
        return [e["status"] for e in self.events(task_id) if e["type"] == "task_status"]

    def dispatches(self) -> dict[str, tuple[int, int]]:
        """(number, sends) of each task in the queue."""
        return {
            t: (n, s)
            for t, n, s in sql(self.database, "SELECT task_id::text, number, send_count FROM dispatches")
        }

    def leases(self) -> dict[str, tuple[int, int]]:
        """(attempt, missed) of each task that runs."""
        return {
            t: (a, m) for t, a, m in sql(self.database, "SELECT task_id::text, attempt, missed FROM leases")
        }


def folded(events: Sequence[dict[str, Any]]) -> State:
    state = empty()
    for event in events:
        state = fold(state, event["type"], event)
    return state
