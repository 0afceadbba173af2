"""Counts the rows that Postgres reads for a statement. A session's counters would include the rows that planning
reads."""

from __future__ import annotations

from typing import Any

from psycopg2.extensions import cursor as Cursor


def rows_visited(cur: Cursor, table: str, statement: str | bytes, values: Any = None) -> int:
    """Runs ``statement``; returns the rows of ``table`` that it read, also those that it filtered out."""
    prefix = "EXPLAIN (ANALYZE, FORMAT JSON) "
    cur.execute(prefix + statement if isinstance(statement, str) else prefix.encode() + statement, values)
    return _visited(cur.fetchall()[0][0][0]["Plan"], table)


def _visited(node: dict[str, Any], table: str) -> int:
    own = 0
    if node.get("Relation Name") == table and node.get("Node Type") != "ModifyTable":
        filtered = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        own = node["Actual Loops"] * (node["Actual Rows"] + filtered)
    return int(own) + sum(_visited(child, table) for child in node.get("Plans", ()))


class Explaining:
    """A cursor that keeps the plan of what it is asked, and how many rows of ``tasks`` that looked at."""

    def __init__(self, cur: Any, plans: list[str]) -> None:
        self._cur, self._plans = cur, plans
        self.visited = 0

    def execute(self, statement: str, values: Any) -> None:
        self._cur.execute("EXPLAIN " + statement, values)
        self._plans.append("\n".join(line for (line,) in self._cur.fetchall()))
        self.visited += rows_visited(self._cur, "tasks", statement, values)
        self._cur.execute(statement, values)

    def fetchall(self) -> Any:
        return self._cur.fetchall()

    def __iter__(self) -> Any:
        return iter(self._cur)

    def fetchone(self) -> Any:
        return self._cur.fetchone()
