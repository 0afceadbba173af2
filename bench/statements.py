"""Counts the statements of a block: Postgres logs every statement, and the log is read afterwards."""

from __future__ import annotations

import time
from typing import Self

import psycopg2

from bench.stand import Stand

MARK = "SELECT 'the bench was here'"


class Statements:
    """Counts the statements within its block."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._log = stand.home.log / "postgres.log"
        self._seen: list[str] = []

    def __enter__(self) -> Self:
        self._start = self._log.stat().st_size
        self._set("'all'")
        return self

    def __exit__(self, *_: object) -> None:
        self._mark()
        self._set("DEFAULT")
        text = self._log.read_bytes()[self._start :].decode("utf-8", "replace")
        self._seen = text.split("statement:")[1:]

    def count(self, part: str) -> int:
        """Returns the number of statements with this text."""
        return sum(part in statement for statement in self._seen)

    def _set(self, value: str) -> None:
        self._execute(f"ALTER SYSTEM SET log_statement = {value}", "SELECT pg_reload_conf()")
        if value != "DEFAULT":
            # Each process applies a reload at its own time; sessions that start after a mark in the log have it.
            self._mark()

    def _mark(self) -> None:
        before = self._log.read_bytes().count(MARK.encode())
        limit = time.monotonic() + 10
        while self._log.read_bytes().count(MARK.encode()) == before:
            assert time.monotonic() < limit, "Postgres does not log its statements"
            self._execute(MARK)
            time.sleep(0.05)

    def _execute(self, *statements: str) -> None:
        connection = psycopg2.connect(self._stand.database_url)
        try:
            connection.autocommit = True
            with connection.cursor() as cur:
                for statement in statements:
                    cur.execute(statement)
        finally:
            connection.close()
