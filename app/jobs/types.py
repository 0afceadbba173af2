"""What a worker declares of a job type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

import jsonschema_rs

from app.config import QUEUE

# Patterns come from jobs, the texts that they are matched with from anybody: backtracking is bounded.
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)


@dataclass(frozen=True)
class JobType:
    """``params`` is the JSON Schema of the parameters. ``phases`` have weights, or None where the job gives only names;
    they are in the order in which they run. ``retry_lost``: it is tried again when its worker is lost, at most
    ``max_retries`` times in all."""

    name: str
    title: str = ""
    description: str = ""
    params: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    phases: Mapping[str, float | None] = field(default_factory=dict)
    queue: str = QUEUE
    max_retries: int = 0
    retry_lost: bool = False

    @classmethod
    def from_json(cls, declared: Mapping[str, Any]) -> JobType:
        """Fields that a worker of another version declared, and this process does not know, are left out."""
        return cls(**{name: declared[name] for name in _FIELDS & declared.keys()})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @cached_property
    def validator(self) -> jsonschema_rs.Validator:
        """Of the parameters. ValueError when ``params`` is no JSON Schema."""
        return jsonschema_rs.validator_for(dict(self.params), pattern_options=_PATTERNS, offline=True)


_FIELDS = frozenset(each.name for each in fields(JobType))
