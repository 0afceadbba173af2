"""A run that a test holds, and lets go."""

from __future__ import annotations

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
        """From now on it comes to its end by itself."""
        self.gate.touch()


@contextmanager
def held(user: User, folder: Path, job_type: str = "test_gated", **params: Any) -> Iterator[Held]:
    """Starts it; it is let go at the end at the latest, for a test that fails must not keep a worker."""
    gate = folder / "let go"
    run = Held(user.start(job_type, gate=str(gate), **params), gate)
    try:
        yield run
    finally:
        run.let_go()
