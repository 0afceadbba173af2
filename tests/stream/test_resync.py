"""Which cursors can be answered exactly, at the very edges, and what is said of those that cannot."""

from __future__ import annotations

import pytest

from app.stream.resync import Resync

S = "task:a"
PRUNED_TO, HEAD = 10, 20  # 11 to 20 are kept


@pytest.mark.parametrize("cursor", [10, 11, 19, 20])
def test_a_cursor_before_what_is_kept_without_a_gap_is_answered(cursor: int) -> None:
    assert Resync.of(S, cursor, PRUNED_TO, HEAD) is None


@pytest.mark.parametrize("cursor", [0, 9])
def test_one_whose_next_event_is_gone_goes_on_after_the_last_that_is_gone(cursor: int) -> None:
    resync = Resync.of(S, cursor, PRUNED_TO, HEAD)

    assert resync is not None and resync.cursor == 10
    assert resync.message() == {"stream": S, "reason": "pruned", "oldest": 11, "head": 20}


@pytest.mark.parametrize("cursor", [21, 2**62])
def test_one_beyond_the_head_goes_on_after_the_head(cursor: int) -> None:
    resync = Resync.of(S, cursor, PRUNED_TO, HEAD)

    assert resync is not None and resync.cursor == 20
    assert resync.message() == {"stream": S, "reason": "beyond_head", "oldest": 11, "head": 20}


def test_where_nothing_was_pruned_the_beginning_is_answered() -> None:
    assert Resync.of(S, 0, 0, HEAD) is None
    assert Resync.of(S, 0, 0, 0) is None
