"""The faults that can be injected. Only the supervisor restarts parts; nothing here does."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass

from bench import proc
from tests.faults.system import Taskroom
from tests.support.system import wait_for

STOPPED_SECONDS = 5.0
KILL, STOP = "kill -9", "stop 5 s"
KINDS = (KILL, STOP)
READ_ONLY = "5 s read only"  # as after a fail-over: reads succeed, writes are refused
CUT_SESSIONS = "end of all sessions"
CHILD = "worker child"  # the process that runs the task
PARTS = ("redis", "postgres", "web", CHILD, "worker", "beat")
BACKEND = "postgres backend"  # the one that was busy last; the postmaster then ends all others and recovers
_BUSY_BACKEND = """SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                   ORDER BY state_change DESC LIMIT 1"""
_CUT = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
          WHERE usename = current_user AND pid <> pg_backend_pid()"""
LOSES_WORKER = frozenset({CHILD, "worker"})
CHILDREN = frozenset({CHILD, BACKEND})  # their parents replace them
_NAMES = {"web": "web-2"}  # web-1 runs on, so that its memory can be measured


@dataclass(frozen=True, slots=True)
class Fault:
    part: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} of {self.part}"

    @property
    def name(self) -> str:
        """The name of the pid file. A part without one belongs to the part that its name starts with."""
        return _NAMES.get(self.part, self.part.partition(" ")[0])

    @property
    def exits(self) -> list[str]:
        """The processes whose exit the supervisor must report, and no others."""
        return [self.name] if self.kind == KILL and self.part not in CHILDREN else []

    @property
    def endings(self) -> frozenset[str]:
        """The possible ends of a task during this fault."""
        lost = self.kind == KILL and self.part in LOSES_WORKER
        return frozenset({"FAILURE WorkerLost" if lost else "SUCCESS"})

    def inject(self, taskroom: Taskroom, task_id: str, leaving: threading.Event | None = None) -> None:
        """Injects the fault; returns when a new process runs in the part's place, or when the part continues after a
        stop."""
        if self.kind == READ_ONLY:
            _read_only(taskroom, leaving or threading.Event())
            return
        if self.kind == CUT_SESSIONS:
            taskroom.rows(_CUT)
            return
        if self.kind == STOP:
            _stop(self._processes(taskroom, task_id), leaving or threading.Event())
            return
        pids = self._processes(taskroom, task_id)
        for pid in pids:
            _signal(pid, signal.SIGKILL)
        if self.part not in CHILDREN:
            wait_for(f"another {self.name}", lambda: taskroom.pid(self.name) != pids[0], 60)

    def _processes(self, taskroom: Taskroom, task_id: str) -> list[int]:
        if self.part == CHILD:
            children = proc.family(taskroom.pid("worker"))[1:]
            child = taskroom.child_of(task_id)
            # Another process may have the child's pid by now: only a present child is killed.
            return [child] if child in children else children[:1]
        if self.part == BACKEND:
            return [pid for (pid,) in taskroom.rows(_BUSY_BACKEND)]
        pid = taskroom.pid(self.name)
        # Only the postmaster of Postgres is killed: its backends must notice that themselves.
        return [pid] if (self.part, self.kind) == ("postgres", KILL) else proc.family(pid)


MATRIX = tuple(Fault(part, kind) for part in PARTS for kind in KINDS)
ALL = (
    *MATRIX,
    Fault(BACKEND, KILL),
    Fault("nginx", KILL),
    Fault("postgres", READ_ONLY),
    Fault("postgres", CUT_SESSIONS),
)


def _read_only(taskroom: Taskroom, leaving: threading.Event) -> None:
    """Makes new sessions read only, and ends all present sessions."""
    try:
        taskroom.rows("ALTER ROLE CURRENT_USER SET default_transaction_read_only = on; SELECT 1")
        taskroom.rows(_CUT)
        leaving.wait(STOPPED_SECONDS)
    finally:
        taskroom.rows("ALTER ROLE CURRENT_USER RESET default_transaction_read_only; SELECT 1")


def _stop(pids: list[int], leaving: threading.Event) -> None:
    try:
        for pid in pids:
            _signal(pid, signal.SIGSTOP)
        leaving.wait(STOPPED_SECONDS)
    finally:
        for pid in pids:
            _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:  # it has ended since the listing, as backends do
        return
