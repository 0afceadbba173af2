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
