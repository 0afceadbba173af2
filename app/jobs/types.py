"""A job type, as a worker declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import jsonschema_rs

from app.config import QUEUE

# Backtracking is limited: patterns of jobs are matched with texts of any client.
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)


@dataclass(frozen=True)
class JobType:
    """``params`` is the JSON Schema of the parameters. ``phases`` are in the order in which they run, with weights, or
    None where the job gives only names. ``retry_lost``: a task is tried again when its worker is lost. ``max_retries``
    limits all retries. ``outputs`` are the names of files that a run saves, each with what it is."""

    name: str
    title: str = ""
    description: str = ""
    params: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    phases: Mapping[str, float | None] = field(default_factory=dict)
    queue: str = QUEUE
    max_retries: int = 0
    retry_lost: bool = False
    outputs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, declared: Mapping[str, Any]) -> JobType:
        """Ignores unknown fields: a worker of another version may declare them."""
        return cls(**{name: declared[name] for name in _FIELDS & declared.keys()})

    @cached_property
    def validator(self) -> jsonschema_rs.Validator:
        """The validator of parameters. Raises ValueError when ``params`` is not a valid JSON Schema."""
        return jsonschema_rs.validator_for(dict(self.params), pattern_options=_PATTERNS, offline=True)


_FIELDS = frozenset(each.name for each in fields(JobType))
