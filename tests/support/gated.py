"""Jobs that go on until a test lets them: what is to happen in the middle of a run has its middle on any machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

from workers.jobs.knowledge_base import DEFAULT_PATTERN, knowledge_base
from workers.progress import job, log, phase

BATCH = 100  # lines between two looks at the gate, where they come as fast as they go
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


READING = ("content_caching", "content_processing", "categorization", "kb_generation")


@job("test_gated_reading", params=GatedReading, phases=(*READING, "load"))
def gated_reading(gate: str, rate: float, limit: int, begin: str, size: int) -> dict[str, Any]:
    """Reads the installed packages as the shipped job does, and then logs a line after the other."""
    result = knowledge_base(root=None, pattern=DEFAULT_PATTERN, limit=limit)
    gated(gate, rate, begin, size)
    return result
