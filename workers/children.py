"""Processes that a job's code makes. A forked child reports to the task of its parent, and never ends it."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import NoReturn

from taskroom import output
from taskroom.texts import formatted
from workers import current, runtime
from workers.errors import AttemptSuperseded, TaskCancelled
from workers.run import Run

_exit = os._exit


def allow() -> None:
    """Lets the code of jobs use multiprocessing and ProcessPoolExecutor: Celery's own processes count as daemons,
    which may have no children."""
    process = multiprocessing.current_process()
    process._config["daemon"] = False  # type: ignore[attr-defined]
    # Celery's key refuses to be handed to a process that is spawned.
    process._config["authkey"] = multiprocessing.process.AuthenticationString(process.authkey)  # type: ignore[attr-defined]


def terminate() -> None:
    """Ends the daemons that jobs left behind, as multiprocessing does when a process exits in the usual way."""
    for child in multiprocessing.active_children():
        if child.daemon:
            child.terminate()


def exit_forked(run: Run, error: BaseException | None) -> NoReturn:
    """Ends a forked child that came out of the job's code with ``error`` or None: its parent ends the attempt."""
    if error is not None and not isinstance(error, SystemExit | TaskCancelled | AttemptSuperseded):
        run.line(f"A forked child failed\n{formatted(error)}", "ERROR")
    status = _status(error)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _status(error: BaseException | None) -> int:
    """The exit status that Python itself would choose."""
    if error is None:
        return 0
    if not isinstance(error, SystemExit):
        return 1
    if error.code is None or isinstance(error.code, int):
        return (error.code or 0) & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def _after_fork() -> None:
    """Lets a child that a job's code forked report through a writer of its own, and makes ``os._exit`` wait until what
    it reported is durable: multiprocessing ends its processes that way too."""
    run = current.find()
    if run is not None:
        own = runtime.runtime()
        run.report_to(own.writer)
        own.leases.add(run)
        os._exit = _exit_flushed


def _exit_flushed(status: int) -> NoReturn:
    try:
        if (run := current.find()) is not None:
            output.finish(run)
        runtime.close(runtime.CLOSE_SECONDS)
    finally:
        _exit(status)


os.register_at_fork(after_in_child=_after_fork)  # after that of workers.runtime, which is imported above
