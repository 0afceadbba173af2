"""Postgres for what asks one question of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from app.stream.store import DatabaseUnavailable


class FakePostgres:
    """``rows`` by the first value asked for; ``asked`` holds every question. ``away`` makes each fail.

    While ``gate`` is cleared a question waits.
    """

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Any, ...]] = {}
        self.asked: list[str] = []
        self.away = False
        self.gate = threading.Event()
        self.gate.set()

    @contextmanager
    def read(self) -> Iterator[Any]:
        yield self

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        yield SimpleNamespace(cur=self)

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        yield self

    def execute(self, statement: str, values: dict[str, str]) -> None:
        self.asked.append(next(iter(values.values())))
        assert self.gate.wait(60)
        if self.away:
            raise DatabaseUnavailable("away")

    def fetchone(self) -> tuple[Any, ...] | None:
        return self.rows.get(self.asked[-1])

    def fetchall(self) -> list[tuple[Any, ...]]:
        """For a question about several: the rows of those that are there."""
        return [self.rows[one] for one in self.asked[-1] if one in self.rows]
