"""Jobs that go on until a test lets them: what is to happen in the middle of a run has its middle on any machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

from workers.jobs.knowledge_base import DEFAULT_PATTERN, knowledge_base
from workers.progress import job, log, phase

BATCH = 100  # lines between two looks at the gate, where they come as fast as they go
LOOK_SECONDS = 0.2  # the longest time without a report, which is where a cancel arrives
LONGEST_SECONDS = 600.0  # for a test that was killed: its run must not hold a worker for ever


class Gated(Schema):
    gate = fields.String(required=True, metadata={"description": "It ends once this file is there"})
    rate = fields.Float(
        load_default=200.0, metadata={"description": "Lines a second, at most; 0 is as fast as it goes"}
    )
    begin = fields.String(
        load_default="", metadata={"description": "If named, it begins once this file is there"}
    )
    size = fields.Integer(load_default=0, metadata={"description": "Characters of a line, at least"})


class GatedReading(Gated):
    limit = fields.Integer(load_default=300)


@job("test_gated", params=Gated, phases=("load",))
def gated(gate: str, rate: float, begin: str = "", size: int = 0) -> int:
    """Logs a line after the other."""
    with phase("load", message="Until it is let go") as load:
        end, lines = time.monotonic() + LONGEST_SECONDS, 0
        while not Path(gate).exists():
            if time.monotonic() > end:
                raise TimeoutError("nobody let it go")
            begun = not begin or Path(begin).exists()
            for _ in range((1 if rate else BATCH) if begun else 0):
                lines += 1
                log(f"line {lines} of {60 * '.'}".ljust(size, "x"))
                load.advance()
            if not begun:
                load.advance(0)
            if rate or not begun:
                time.sleep(1 / (rate or 100))
    return lines


@job("test_gated_unnamed", params=Gated)
def gated_unnamed(gate: str, rate: float, begin: str = "", size: int = 0) -> int:
    """The same after a phase of its own, and declares none of them."""
    with phase("prepare", total=1) as prepare:
        prepare.advance()
    return gated(gate, rate, begin, size)


class GatedLoad(Gated):
    least = fields.Integer(load_default=1, metadata={"description": "Lines that it writes in any case"})


@job("test_gated_load", params=GatedLoad, phases=("wait", "load"))
def gated_load(gate: str, rate: float, begin: str, size: int, least: int) -> dict[str, int]:
    """Writes lines that say when they were written, as the shipped load job does; ``least`` exactly where the gate
    is open before. A pause is made good, so that the rate is kept in the mean."""
    end = time.monotonic() + LONGEST_SECONDS
    with phase("wait") as wait:
        while begin and not Path(begin).exists():
            if time.monotonic() > end:
                raise TimeoutError("nobody let it begin")
            time.sleep(LOOK_SECONDS)
            wait.advance(0)
    start, done = time.monotonic(), 0
    with phase("load", message="Until it is let go") as load:
        while done < least or not Path(gate).exists():
            now = time.monotonic()
            if now > end:
                raise TimeoutError("nobody let it go")
            lines = min(int((now - start) * rate) + 1 - done, BATCH)
            if done < least:
                lines = min(lines, least - done)
            for _ in range(lines):
                log(f"@t={time.monotonic_ns()} ".ljust(size, "x"))
            done += max(lines, 0)
            load.advance(max(lines, 0))
            if lines <= 0:
                time.sleep(max(0.001, min(start + done / rate - now, LOOK_SECONDS)))
    return {"events": done}


READING = ("content_caching", "content_processing", "categorization", "kb_generation")


@job("test_gated_reading", params=GatedReading, phases=(*READING, "load"))
def gated_reading(gate: str, rate: float, limit: int, begin: str, size: int) -> dict[str, Any]:
    """Reads the installed packages as the shipped job does, and then logs a line after the other."""
    result = knowledge_base(root=None, pattern=DEFAULT_PATTERN, limit=limit)
    gated(gate, rate, begin, size)
    return result
