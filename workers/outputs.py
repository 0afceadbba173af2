"""Outputs: files that a job's code saves. The content is stored first, then the event makes the row."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import BinaryIO

from app.errors import causes
from app.storage import Storage, TooLarge
from app.storage.files import regular_file
from app.tasks.outputs import MOST, bytes_of_all, key_of, list_outputs, output_event, output_name
from taskroom.texts import reason
from workers import runtime
from workers.run import Run
from workers.settings import settings

COMPONENT = "outputs"
ASKED_SECONDS = 60.0  # how long a file waits for Postgres, which says how much is stored already


class Refused(Exception):
    """A file that is not saved; the message says why."""


def save(run: Run, path: str | os.PathLike[str], name: str | None = None) -> bool:
    """Saves a file as an output of the run; returns whether it was. What goes wrong is a warning in the run's log."""
    given = PurePath(os.fsdecode(path)).name if name is None else name
    try:
        size = _store(run, path, output_name(str(given)))
    except (Refused, OSError, ValueError) as error:
        run.line(f"The output {str(given)[:200]!a} is not saved: {reason(error)}", "WARNING", COMPONENT)
        return False
    run.saved[given] = size
    run.sink.reports.emit("output", output_event(given, size))
    run.line(f"Saved the output {given}: {size:,} bytes", "INFO", COMPONENT)
    return True


def warn_of_missing(run: Run, declared: Iterable[str]) -> None:
    """Writes a warning about each output that the job declares and has not saved."""
    for name in declared:
        if name not in run.saved and not run.forked:
            run.line(f"The job declares the output {name} and has not saved it", "WARNING", COMPONENT)


def _store(run: Run, path: str | os.PathLike[str], name: str) -> int:
    storage = runtime.runtime().storage
    if storage is None:
        raise Refused("no folder is set for outputs (TASKROOM_OUTPUTS)")
    with regular_file(path) as source:
        most = _room(run, name)
        if os.fstat(source.fileno()).st_size > most:
            raise Refused(_too_large(most))
        return _put(storage, key_of(run.id, run.claim.attempt, name), source, most)


def _put(storage: Storage, key: str, source: BinaryIO, most: int) -> int:
    try:
        return storage.put(key, source, most)
    except TooLarge:
        raise Refused(_too_large(most)) from None


def _too_large(most: int) -> str:
    return f"it has more than {most:,} bytes"


def _room(run: Run, name: str) -> int:
    """Returns how many bytes the output may have. Raises Refused when there is no room for one. Two processes that save
    at the same time may both have the last place."""
    of_run, in_all = _stored(run)
    others = {**of_run, **run.saved}
    others.pop(name, None)
    if len(others) >= MOST:
        raise Refused(f"a run has at most {MOST} outputs")
    rooms = [settings().output_file_bytes, settings().output_run_bytes - sum(others.values())]
    if settings().output_bytes:
        rooms.append(settings().output_bytes - in_all)
    if rooms[-1] <= 0 or min(rooms) < 0:
        raise Refused("the outputs of this run, or of all runs, have as many bytes as they may have")
    return min(rooms)


def _stored(run: Run) -> tuple[Mapping[str, int], int]:
    """Returns the sizes of the task's stored outputs by name, and the bytes of all. Waits for Postgres."""
    until = time.monotonic() + ASKED_SECONDS
    while True:
        try:
            with runtime.runtime().connect() as conn, conn.cursor() as cur:
                return {each.name: each.size for each in list_outputs(cur, run.id)}, bytes_of_all(cur)
        except Exception as error:
            if not causes.of(error).is_temporary:
                raise
            if time.monotonic() > until:
                raise Refused("Postgres does not say how much is stored already") from None
        run.check()
        time.sleep(0.5)
