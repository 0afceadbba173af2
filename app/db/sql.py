"""Pieces of SQL that several packages share."""

TIME_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
"""How events carry times, as to_char takes it: RFC 3339, UTC, microseconds."""

TIME_TEXT = f"to_char({{}} AT TIME ZONE 'UTC', '{TIME_FORMAT}')"
"""An expression of type timestamptz, as events carry times."""

FIRST = "-infinity", "00000000-0000-0000-0000-000000000000"
"""The key (time, id) that comes before all others, for who goes through a table by both."""
