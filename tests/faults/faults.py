"""What can be done to the parts. Nothing here brings a part back: that is the supervisor's work."""

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
READ_ONLY = "5 s read only"  # as after a fail-over: who reads is served, who writes is refused
CUT_SESSIONS = "end of all sessions"
CHILD = "worker child"  # the one that runs the task
PARTS = ("redis", "postgres", "web", CHILD, "worker", "beat")
BACKEND = "postgres backend"  # the one that worked last; the postmaster then ends all others and recovers
_BUSY_BACKEND = """SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                   ORDER BY state_change DESC LIMIT 1"""
_CUT = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
          WHERE usename = current_user AND pid <> pg_backend_pid()"""
LOSES_WORKER = frozenset({CHILD, "worker"})
CHILDREN = frozenset({CHILD, BACKEND})  # their parents replace them
_NAMES = {"web": "web-2"}  # the other web process lives on, so that its memory can be followed


@dataclass(frozen=True, slots=True)
class Fault:
    part: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} of {self.part}"

    @property
    def name(self) -> str:
        """That of its pid file; the parts that have none are of the part whose name they begin with."""
        return _NAMES.get(self.part, self.part.partition(" ")[0])

    @property
    def deaths(self) -> list[str]:
        """What the supervisor must see die of it, and nothing else."""
        return [self.name] if self.kind == KILL and self.part not in CHILDREN else []

    @property
    def endings(self) -> frozenset[str]:
        """How a task ends that it hits."""
        lost = self.kind == KILL and self.part in LOSES_WORKER
        return frozenset({"FAILURE WorkerLost" if lost else "SUCCESS"})

    def strike(self, taskroom: Taskroom, task_id: str, leaving: threading.Event | None = None) -> None:
        """Returns when another process has the part's place, or when it goes on after its stop."""
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
            return [child] if child in children else children[:1]  # never a pid that is another's by now
        if self.part == BACKEND:
            return [pid for (pid,) in taskroom.rows(_BUSY_BACKEND)]
        pid = taskroom.pid(self.name)
        # Of Postgres the postmaster alone is killed: its backends must find out.
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
    """For the sessions that are opened from now on, and there are no others."""
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
    except ProcessLookupError:  # it ended by itself since it was listed, as backends do
        return
