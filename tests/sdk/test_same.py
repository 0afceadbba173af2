"""The package and the server mean the same."""

from __future__ import annotations

import pytest

from app.stream import event
from app.tasks import fold
from taskroom import limits, texts, values


def test_levels_and_statuses_are_the_servers() -> None:
    assert values.LEVELS == event.LEVELS
    assert values.PHASE_STATUSES == fold.PHASE_STATUSES


@pytest.mark.parametrize("limit", [limits.LINE_LIMIT, limits.TEXT_LIMIT, limits.NAME_LIMIT])
def test_a_text_that_the_package_has_cut_is_not_cut_again(limit: int) -> None:
    cut = texts.cut("x" * 1_000_000, limit)

    assert len(cut) == limit and cut.endswith("… [cut: 1,000,000 characters in all]")
    assert event.cut(cut, limit) == cut
