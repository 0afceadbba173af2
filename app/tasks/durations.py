"""Durations in buckets whose width grows with the duration: numbers of runs by bucket can be added up, and still tell
percentiles within 2 %.

They are the buckets of DDSketch (https://arxiv.org/abs/1908.10693): bucket ``b`` has the durations above
``GROWTH ** (b - 1)`` seconds, up to ``GROWTH ** b``. The triggers ``sum_run`` and ``sum_phases`` of the table
``tasks`` find them.
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


# The median and the 95th percentile of each ``key``, as ``percentile`` finds them. ``summed`` has a row for each bucket
# of a key, with its ``number``.
PERCENTILES = """SELECT {key}, number, min(bucket) FILTER (WHERE 100 * upto >= 50 * number) AS p50,
        min(bucket) FILTER (WHERE 100 * upto >= 95 * number) AS p95
    FROM (SELECT {key}, bucket, sum(number) OVER (PARTITION BY {key}) AS number,
            sum(number) OVER (PARTITION BY {key} ORDER BY bucket) AS upto FROM {summed}) AS ranked
    GROUP BY {key}, number"""
