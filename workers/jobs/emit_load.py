"""Writes log events at a known rate, for measuring what becomes of them. Registered for benchmarks only."""

from __future__ import annotations

import statistics
import time

from marshmallow import Schema, fields, validate

from workers.progress import job, log, phase
from workers.settings import settings

CANCEL_SECONDS = 0.2  # the longest time without a report, which is where a cancel arrives
TICK_SECONDS = 0.001  # shorter sleeps cost more CPU than the events do
SAMPLE = 16  # one call in so many is timed
BATCH = 1000  # events between two reports of progress


class EmitLoadParams(Schema):
    events = fields.Integer(
        load_default=1000,
        strict=True,
        validate=validate.Range(min=1, max=2_000_000),
        metadata={"description": "How many log events to write"},
    )
    rate = fields.Float(
        load_default=0.0,
        validate=validate.Range(min=0, max=1_000_000),
        metadata={"description": "Events per second; 0 is as fast as possible"},
    )
    message_bytes = fields.Integer(
        load_default=200,
        strict=True,
        validate=validate.Range(min=1, max=16_384),
        metadata={"description": "Length of each message, but never shorter than its time stamp"},
    )
    delay = fields.Float(
        load_default=0.0,
        validate=validate.Range(min=0, max=3600),
        metadata={"description": "Seconds to wait first, so that viewers can join"},
    )


def emit_load(*, events: int, rate: float, message_bytes: int, delay: float) -> dict[str, float]:
    """Writes log events whose messages begin with the time they were written at.

    A message is ``@t=<CLOCK_MONOTONIC nanoseconds> ``, filled up with ``x`` to ``message_bytes``. Returns the
    events written, the seconds it took, the rate reached and what one ``log()`` cost in the median.
    """
    _wait(delay)
    costs: list[int] = []
    start = time.monotonic()
    with phase("load", total=events, message="Writing events") as progress:
        done = 0
        while done < events:
            batch = min(BATCH, events - done)
            if rate:
                # Counted from the start, not from the last event: an overslept tick is made good by the next.
                elapsed = time.monotonic() - start
                due = int(elapsed * rate) + 1
                if due <= done:
                    time.sleep(max(TICK_SECONDS, min(done / rate - elapsed, CANCEL_SECONDS)))
                    progress.advance(0)
                    continue
                batch = min(batch, due - done)
            for n in range(batch):
                message = _message(message_bytes)
                if n % SAMPLE:
                    log(message)
                else:
                    before = time.perf_counter_ns()
                    log(message)
                    costs.append(time.perf_counter_ns() - before)
            done += batch
            progress.advance(batch)
    seconds = time.monotonic() - start
    return {"events": done, "seconds": round(seconds, 6), "rate": round(done / seconds, 3)} | {
        "median_log_us": round(statistics.median(costs) / 1000, 2)
    }


def _wait(delay: float) -> None:
    with phase("wait", message=f"Waiting {delay:g} s") as progress:
        end = time.monotonic() + delay
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, CANCEL_SECONDS))
            progress.advance(0)


def _message(size: int) -> str:
    return f"@t={time.clock_gettime_ns(time.CLOCK_MONOTONIC)} ".ljust(size, "x")


if settings().bench:
    job("emit_load", params=EmitLoadParams, title="Load", phases={"wait": 1, "load": 99})(emit_load)
