"""Processes that a task's code makes. A forked child reports to its parent's task, and never ends it."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import NoReturn

from workers.run import AttemptSuperseded, Run, TaskCancelled
from workers.texts import formatted


def allow() -> None:
    """Lets the code of tasks use multiprocessing and ProcessPoolExecutor: Celery's own processes count as daemons,
    which may have no children. Those that a task left behind are ended with this process (``end``)."""
    process = multiprocessing.current_process()
    process._config["daemon"] = False  # type: ignore[attr-defined]
    # Celery's key refuses to be handed to a process that is spawned.
    process._config["authkey"] = multiprocessing.process.AuthenticationString(process.authkey)  # type: ignore[attr-defined]


def end() -> None:
    """As multiprocessing does when a process ends in the usual way."""
    for child in multiprocessing.active_children():
        if child.daemon:
            child.terminate()


def leave(run: Run, error: BaseException | None) -> NoReturn:
    """Ends a child that came out of the job's code, whose end is its parent's to report."""
    if error is not None and not isinstance(error, SystemExit | TaskCancelled | AttemptSuperseded):
        run.log(f"A forked child failed\n{formatted(error)}", "ERROR", None, None)
    status = _status(error)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _status(error: BaseException | None) -> int:
    """What Python itself would end with."""
    if error is None:
        return 0
    if not isinstance(error, SystemExit):
        return 1
    if error.code is None or isinstance(error.code, int):
        return (error.code or 0) & 0xFF
    print(error.code, file=sys.stderr)
    return 1
