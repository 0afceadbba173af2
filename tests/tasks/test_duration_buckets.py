"""Percentiles of durations in buckets."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tasks.durations import GROWTH, percentile

SECONDS = st.lists(st.floats(0.001, 30 * 86_400), min_size=1, max_size=200)


def bucket(seconds: float) -> int:
    return math.ceil(math.log(seconds) / math.log(GROWTH))


@given(SECONDS, st.sampled_from([0.0, 0.5, 0.95, 1.0]))
def test_a_percentile_is_within_two_percent_of_the_run_that_it_is_about(
    seconds: list[float], part: float
) -> None:
    true = sorted(seconds)[max(0, math.ceil(part * len(seconds)) - 1)]

    found = percentile(Counter(map(bucket, seconds)), part)

    assert found == pytest.approx(true, rel=0.02)


def test_there_is_none_without_runs() -> None:
    assert percentile({}, 0.5) is None
