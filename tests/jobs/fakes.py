"""Postgres for a catalog: what is declared there, and how often it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import orjson

from app.jobs.catalog import Catalog
from app.jobs.packages import Row
from app.jobs.types import JobType
from app.stream.store import DatabaseUnavailable

QUEUES = ("taskroom", "quick")


class FakePackages:
    """``rows`` are in the order in which they were declared. ``away`` makes each question fail."""

    def __init__(self, *types: JobType) -> None:
        self.rows = [row(*types)] if types else []
        self.asked, self.away = 0, False

    def catalog(self) -> Catalog:
        return Catalog(self.connect, QUEUES)

    @contextmanager
    def connect(self) -> Iterator[Any]:
        yield self

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        yield self

    def execute(self, statement: str) -> None:
        self.asked += 1
        if self.away:
            raise DatabaseUnavailable("away")

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def row(*types: JobType, broken: dict[str, str] | None = None, **more: Any) -> Row:
    """``more``: fields that each type has besides."""
    declared = [asdict(each) | more for each in types]
    return Row(orjson.dumps(declared).decode(), orjson.dumps(broken or {}).decode())
