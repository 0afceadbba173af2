"""A run that goes on until the test lets it end."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.system import User


@dataclass(frozen=True, slots=True)
class Held:
    id: str
    gate: Path

    def let_go(self) -> None:
        """Lets the run end by itself."""
        self.gate.touch()


@contextmanager
def held(user: User, folder: Path, job_type: str = "test_gated", **params: Any) -> Iterator[Held]:
    """Starts a run, and lets it end at the latest at the exit: a failed test must not keep a worker."""
    gate = folder / f"{uuid.uuid4().hex}.open"
    run = Held(user.start(job_type, gate=str(gate), **params), gate)
    try:
        yield run
    finally:
        run.let_go()
