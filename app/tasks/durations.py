"""Durations in buckets whose width grows with the duration: numbers of runs by bucket can be added up, and still tell
percentiles within 2 %.

They are the buckets of DDSketch (https://arxiv.org/abs/1908.10693): bucket ``b`` has the durations above
``GROWTH ** (b - 1)`` seconds, up to ``GROWTH ** b``. The trigger ``sum_run`` of the table ``tasks`` finds them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

GROWTH = 1.04


def percentile(numbers: Mapping[int, int], part: float) -> float | None:
    """Returns the seconds that ``part`` (0 to 1) of the runs took at most, given the number of runs by bucket, by the
    nearest rank: of few runs the 95th percentile is the longest. None without runs."""
    wanted, found = math.ceil(part * sum(numbers.values())), 0
    for bucket in sorted(numbers):
        found += numbers[bucket]
        if found >= wanted:
            return seconds_of(bucket)
    return None


def seconds_of(bucket: int) -> float:
    """Returns the duration that is at most 2 % from all those of the bucket."""
    return float(2 * GROWTH**bucket / (GROWTH + 1))
