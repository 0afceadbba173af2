"""A transaction that appends events, publishes them after its commit, and then sends the hints of tasks to workers.

Two classes commit events. Both call ``store.append``, and publish only after the commit:

| | commits | publishes | sends hints |
|---|---|---|---|
| ``Transactions`` | at the end of its block | ``publish`` | ``on_committed``: ``hints``, and started steps |
| ``Writer`` | each batch, again until it is stored | ``publish`` | none; ``workers/leases.py`` collects started steps |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.stream.event import Draft
from app.stream.store import Appended, Connect, Project, append


class Hint(NamedTuple):
    """Tells workers that a task's attempt can be claimed. The broker carries it after the commit."""

    task_id: str
    attempt: int
    job_type: str


class Transaction:
    """An open transaction: ``cur`` executes statements, and ``hints`` are sent after the commit."""

    __slots__ = ("_project", "appended", "cur", "hints")

    def __init__(self, cur: Cursor, project: Project) -> None:
        self.cur, self._project = cur, project
        self.appended = Appended()
        self.hints: list[Hint] = []

    def append(self, drafts: Sequence[Draft]) -> Appended:
        """Numbers and stores the drafts and all events that follow from them. Returns what this call appended."""
        appended = append(self.cur, drafts, self._project)
        self.appended.add(appended)
        return appended


Begin = Callable[[], AbstractContextManager[Transaction]]
"""Begins a transaction: a block that ends well commits, else it rolls back. The block raises DatabaseUnavailable."""


class Transactions:
    """Begins the transactions of one process; as safe for threads as ``connect`` is.

    After each commit ``publish`` is called, then ``on_committed``, which sends the hints and raises nothing.
    """

    def __init__(
        self,
        connect: Connect,
        project: Project,
        publish: Callable[[Appended], None],
        on_committed: Callable[[Transaction], object] = lambda transaction: None,
    ) -> None:
        self._connect, self._project = connect, project
        self._publish, self._committed = publish, on_committed

    @contextmanager
    def __call__(self) -> Iterator[Transaction]:
        with self._connect() as conn, conn.cursor() as cur:
            transaction = Transaction(cur, self._project)
            yield transaction
        if transaction.appended.events:
            self._publish(transaction.appended)
        self._committed(transaction)
