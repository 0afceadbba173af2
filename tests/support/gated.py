"""Jobs that run until a test opens their gate, a file: so a run has a middle on a machine of any speed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

from workers.jobs.knowledge_base import DEFAULT_PATTERN, knowledge_base
from workers.progress import job, log, phase

BATCH = 100  # lines between two checks of the gate, without a rate
REPORT_SECONDS = 0.2  # the longest time without a report; a cancel takes effect at a report
MAX_SECONDS = 600.0  # after the end of a killed test its run must not keep a worker for ever


class Gated(Schema):
    gate = fields.String(required=True, metadata={"description": "The run ends once this file exists"})
    rate = fields.Float(
        load_default=50.0, metadata={"description": "Most lines a second; 0 is as fast as possible"}
    )
    begin = fields.String(
        load_default="", metadata={"description": "If set, the run begins once this file exists"}
    )
    size = fields.Integer(load_default=0, metadata={"description": "Least characters of a line"})


class GatedReading(Gated):
    limit = fields.Integer(load_default=300)


@job("test_gated", params=Gated, phases=("load",))
def gated(gate: str, rate: float, begin: str = "", size: int = 0) -> int:
    """Logs lines until the gate is open."""
    with phase("load", message="Until the gate is open") as load:
        end, lines = time.monotonic() + MAX_SECONDS, 0
        while not Path(gate).exists():
            if time.monotonic() > end:
                raise TimeoutError("the gate stayed closed")
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
    """Runs a phase and then ``gated``; declares no phases."""
    with phase("prepare", total=1) as prepare:
        prepare.advance()
    return gated(gate, rate, begin, size)


class GatedLoad(Gated):
    least = fields.Integer(load_default=1, metadata={"description": "Lines that the run writes at least"})


@job("test_gated_load", params=GatedLoad, phases=("wait", "load"))
def gated_load(gate: str, rate: float, begin: str, size: int, least: int) -> dict[str, int]:
    """Writes lines with the time of their writing, like the shipped load job; exactly ``least`` if the gate is open by
    then. After a pause it writes faster, so that the mean rate stays the same."""
    end = time.monotonic() + MAX_SECONDS
    with phase("wait") as wait:
        while begin and not Path(begin).exists():
            if time.monotonic() > end:
                raise TimeoutError("the begin file did not appear")
            time.sleep(REPORT_SECONDS)
            wait.advance(0)
    start, done = time.monotonic(), 0
    with phase("load", message="Until the gate is open") as load:
        while done < least or not Path(gate).exists():
            now = time.monotonic()
            if now > end:
                raise TimeoutError("the gate stayed closed")
            lines = min(int((now - start) * rate) + 1 - done, BATCH)
            if done < least:
                lines = min(lines, least - done)
            for _ in range(lines):
                log(f"@t={time.monotonic_ns()} ".ljust(size, "x"))
            done += max(lines, 0)
            load.advance(max(lines, 0))
            if lines <= 0:
                time.sleep(max(0.001, min(start + done / rate - now, REPORT_SECONDS)))
    return {"events": done}


READING = ("content_caching", "content_processing", "categorization", "kb_generation")


@job("test_gated_reading", params=GatedReading, phases=(*READING, "load"))
def gated_reading(gate: str, rate: float, limit: int, begin: str, size: int) -> dict[str, Any]:
    """Reads the installed packages like the shipped job, then runs ``gated``."""
    result = knowledge_base(root=None, pattern=DEFAULT_PATTERN, limit=limit)
    gated(gate, rate, begin, size)
    return result


STAGES = 24


class GatedStages(Gated):
    at = fields.Integer(load_default=17, metadata={"description": "The phase in which the run waits"})


@job("test_gated_stages", params=GatedStages, phases=tuple(f"stage {n}" for n in range(1, STAGES + 1)))
def gated_stages(gate: str, rate: float, begin: str, size: int, at: int) -> None:
    """Runs 24 phases, and waits in one of them until the gate is open."""
    end = time.monotonic() + MAX_SECONDS
    for n in range(1, STAGES + 1):
        with phase(f"stage {n}", total=10, message=f"Part {n}") as stage:
            stage.advance(5)
            log(f"stage {n} is half done")
            while n == at and not Path(gate).exists():
                if time.monotonic() > end:
                    raise TimeoutError("the gate stayed closed")
                time.sleep(REPORT_SECONDS)
                stage.advance(0)
            stage.advance(5)
