"""Pieces of SQL that several packages share."""

TIME_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
"""The time format of events, for to_char: RFC 3339, UTC, microseconds."""

TIME_TEXT = f"to_char({{}} AT TIME ZONE 'UTC', '{TIME_FORMAT}')"
"""Formats a timestamptz expression as the time of an event."""

FIRST = "-infinity", "00000000-0000-0000-0000-000000000000"
"""The key (time, id) before all others, where reading a table by both begins."""
