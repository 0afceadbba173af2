"""Pieces of SQL that several packages share."""

TIME_TEXT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
"""An expression of type timestamptz, as events carry times: RFC 3339, UTC, microseconds."""
