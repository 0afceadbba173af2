"""Pieces of SQL that several packages share."""

TIME_TEXT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
"""An expression of type timestamptz, as events carry times: RFC 3339, UTC, microseconds."""

FIRST = "-infinity", "00000000-0000-0000-0000-000000000000"
"""The key (time, id) that comes before all others, for who goes through a table by both."""
