"""A writer whose events can be looked at, and a run that reports to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from marshmallow import Schema

from app.stream.event import Draft
from app.tasks.lifecycle import Claim
from app.tasks.plan import plan_from
from workers.registry import Job
from workers.run import Run

TASK = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"


class Kept:
    def __init__(self) -> None:
        self.drafts: list[Draft] = []

    def put(self, item: Draft) -> None:
        self.drafts.append(item)

    def of_type(self, type: str) -> list[dict[str, Any]]:
        return [orjson.loads("{" + d.tail) for d in self.drafts if d.type == type]

    def lines(self) -> list[tuple[str, str, str | None]]:
        """Level, message and component of each line."""
        return [(line["level"], line["message"], line["component"]) for line in self.of_type("log")]


def run_of(
    kept: Kept, task_id: str = TASK, weights: Mapping[str, float] | None = None, attempt: int = 3
) -> Run:
    plan = plan_from(weights or {}, [])
    claim = Claim(task_id, attempt, "test", {}, 0, "2026-01-01T00:00:00.000000Z", plan=plan)
    return Run(claim, kept)  # type: ignore[arg-type]


def job_of(function: Callable[[], Any], **more: Any) -> Job:
    return Job("test", function, Schema, "Test", "", **more)
