"""A job that runs for as long as a test wants, whatever the machine's speed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from marshmallow import Schema, fields

from tests.support.system import User
from workers.progress import job, log

BATCH = 100  # lines between two looks at the file, where they come as fast as they go


class HeldParams(Schema):
    until = fields.String(required=True, metadata={"description": "Ends once there is a file of this name"})
    rate = fields.Float(
        load_default=100.0, metadata={"description": "Lines a second; 0 is as fast as it goes"}
    )


@job("test_held", params=HeldParams)
def held(until: str, rate: float) -> dict[str, int]:
    """Logs lines that begin as those of ``emit_load`` do, until the file is there; returns how many."""
    word, lines = Path(until), 0
    while not word.exists():
        for _ in range(1 if rate else BATCH):
            log(f"@t={time.monotonic_ns()} ".ljust(100, "x"))
            lines += 1
        if rate:
            time.sleep(1 / rate)
    return {"lines": lines}


class Held:
    """A task of that job, and the word that lets it end."""

    def __init__(self, user: User, word: Path, rate: float) -> None:
        self._word = word
        self.id = user.start("test_held", until=str(word), rate=rate)

    def release(self) -> None:
        self._word.touch()


@contextmanager
def holding(user: User, folder: Path, rate: float = 100.0) -> Iterator[Held]:
    """It is let go at the end also when the test fails: nobody else would end it."""
    task = Held(user, folder / f"{uuid.uuid4().hex}.go", rate)
    try:
        yield task
    finally:
        task.release()
