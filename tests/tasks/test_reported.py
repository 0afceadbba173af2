"""Times and levels that reporters give."""

from __future__ import annotations

from datetime import datetime

import pytest

from app.tasks.reported import folded_level, time_text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.25+01:00", "2026-01-02T02:04:05.250000Z"),
        ("2026-01-02T03:04:05.000001-10:30", "2026-01-02T13:34:05.000001Z"),
        ("0013-01-01T00:00:00Z", "0013-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_is_told_in_utc_with_microseconds(given: str, text: str) -> None:
    assert time_text(datetime.fromisoformat(given)) == text


@pytest.mark.parametrize("given", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])
def test_an_offset_that_leads_out_of_all_years_is_an_error(given: str) -> None:
    with pytest.raises(OverflowError):
        time_text(datetime.fromisoformat(given))


def test_numbers_of_logging_become_the_level_at_or_below_them() -> None:
    given = (-5, 0, 10, 19, 20, 25, 30, 40, 49, 50, 1_000)

    assert [folded_level(number) for number in given] == [
        *("DEBUG", "DEBUG", "DEBUG", "DEBUG", "INFO", "INFO", "WARNING", "ERROR", "ERROR"),
        *("CRITICAL", "CRITICAL"),
    ]
