"""Job types of the tests whose processes fork, crash or start others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

from tests.support.jobs import Nothing, Text
from workers import current
from workers.progress import job, log


@job("test_fork", params=Nothing)
def fork() -> None:
    """Logs from a forked child as well."""
    log("parent before")
    child = os.fork()
    if child == 0:
        log("child")
        from workers import runtime

        runtime.close(10.0)
        os._exit(0)
    os.waitpid(child, 0)
    log("parent after")


@job("test_fork_leaves", params=Text)
def fork_leaves(text: str) -> int:
    """Forks a child that exits in the way that ``text`` names; returns its exit code."""
    log("parent before")
    child = os.fork()
    if child == 0:
        log("child")
        print("child prints")
        if text == "sys.exit":
            raise SystemExit(7)
        if text == "os._exit":
            os._exit(7)
        if text == "raise":
            raise ValueError("in the child")
        return 7
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    log("parent after")
    return code


def _square(n: int) -> int:
    if current.find() is not None:
        log(f"square of {n}")
    return n * n


@job("test_processes", params=Text)
def processes(text: str) -> dict[str, Any]:
    """Computes in processes with the start method that ``text`` names."""
    context = multiprocessing.get_context(text)
    with context.Pool(2) as pool:
        pooled = pool.map(_square, range(3))
        pool.close()
        pool.join()
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        executed = list(executor.map(_square, range(3, 6)))
    child = context.Process(target=_square, args=(6,))
    child.start()
    child.join()
    return {"pooled": pooled, "executed": executed, "code": child.exitcode}


class Crash(Schema):
    how = fields.String(required=True, metadata={"description": "exit, segfault or kill"})
    gate = fields.String(required=True, metadata={"description": "The process crashes once this file exists"})


def _crash(how: str, gate: str) -> None:
    while not Path(gate).exists():
        current.get().check()
        time.sleep(0.02)
    if how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGSEGV if how == "segfault" else signal.SIGKILL)


@job("test_dies", params=Crash)
def crashes(how: str, gate: str) -> None:
    """Crashes its process."""
    _crash(how, gate)


@job("test_dies_once", params=Crash, max_retries=1, retry_lost=True)
def crashes_once(how: str, gate: str) -> str:
    """Crashes its process at the first attempt."""
    if current.get().claim.attempt == 1:
        _crash(how, gate)
    return "at last"
