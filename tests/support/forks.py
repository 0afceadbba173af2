"""Starts programs of the product as forks of a process that has imported it already.

The imports of a web process take longer than most tests that start one. The program, its environment, its output and
its exit status are the same as those of ``python -m``.
"""

from __future__ import annotations

import array
import atexit
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = tuple(f"app.api.{path.stem}" for path in sorted((ROOT / "app/api").glob("[a-z]*.py")))
# What is imported when an app is made.
MAKING = ("celery.fixups.django", "engineio.async_drivers.eventlet", "flask_sqlalchemy.cli")
WEB = ("patched", "wsgi", "app.factory", *RESOURCES, *MAKING)
# Not ``workers``: its modules read the environment when they are imported.
WORKER = (
    *("plain", "celery.bin.celery", "celery.bin.worker", "celery.apps.worker", "celery.concurrency.prefork"),
    *(
        "celery.fixups.django",
        "kombu.transport.redis",
        "multiprocessing.queues",
        "concurrent.futures.process",
    ),
    *("app.broker.client", "app.bus", "app.jobs.catalog", "app.projections", "app.storage.made"),
    *("app.stream.writer", "app.tasks.reported", "app.tasks.snapshot"),
    *("taskroom.celery", "apispec.ext.marshmallow", "jsonschema_rs"),
)
COMMAND = ("plain", "app.cli.keys", "app.factory", "flask_migrate")  # app.cli
# A worker of somebody else's project: nothing of Taskroom.
CELERY = (
    *("plain", "celery.bin.celery", "celery.bin.worker", "celery.apps.worker", "celery.backends.redis"),
    *("celery.concurrency.prefork", "celery.concurrency.thread", "celery.concurrency.solo"),
    "kombu.transport.redis",
)
KINDS = (WEB, WORKER, COMMAND, CELERY)
PROCESSES = 64  # of a test run, at most


class Forked(subprocess.Popen[bytes]):
    """A process like one that Popen has started: the fork server is its parent, and tells its exit status."""

    def __init__(self, program: Sequence[str], pid: int, exit_pipe: int) -> None:
        self.args, self.pid = list(program), pid
        self.returncode: int | None = None  # type: ignore[assignment]
        self.stdin = self.stdout = self.stderr = None
        self._child_created = False  # Popen has nothing to wait for
        self._exit_pipe = exit_pipe
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        if self._ended(None if timeout is None else timeout * 1000) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def _ended(self, milliseconds: float | None) -> int | None:
        waiting = select.poll()
        waiting.register(self._exit_pipe, select.POLLIN)
        if self.returncode is None and waiting.poll(milliseconds):
            with self._lock:
                if self.returncode is None:  # no other thread has read it
                    told = os.read(self._exit_pipe, 16)
                    self.returncode = int(told or -9)  # nothing is told when the fork server was killed
        return self.returncode


class SharedForkServers:
    """One of each kind for all processes of a test run: the imports are made once. ``folder`` is what others need to
    know."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="forks-", dir=os.environ.get("TEST_SERVERS")))
        self._processes = []
        for modules in KINDS:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
                listener.bind(_address(self.folder, modules))
                listener.listen(PROCESSES)
                self._processes.append(_start(modules, listener, subprocess.PIPE))

    def stop(self) -> None:
        for process in self._processes:
            assert process.stdin
            process.stdin.close()
            process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


class ForkServer:
    """Of this process: a fork of a shared one, if there is one. Starts with the first program, and ends with this
    process."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        if _shared:
            self._control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._control.connect(_address(_shared[0], modules))
        else:
            self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with other:
                self._process = _start(modules, other, subprocess.DEVNULL)
        atexit.register(self.stop)

    def start(
        self, program: Sequence[str], environment: dict[str, str], output: IO[bytes], folder: Path = ROOT
    ) -> Forked:
        """``program`` is the name of a module and its arguments."""
        request = json.dumps(
            {"program": [*program], "environment": environment, "folder": str(folder)}
        ).encode()
        status, exit_pipe = os.pipe()
        files = array.array("i", [output.fileno(), exit_pipe])
        with self._lock:
            self._control.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
            os.close(exit_pipe)
            pid = self._control.recv(16)
        assert pid, "the fork server has ended; its output says why"
        return Forked(program, int(pid), status)

    def stop(self) -> None:
        self._control.close()
        if self._process:
            self._process.wait(60)


_shared: list[Path] = []  # the folder of SharedForkServers, if this process is to use them


def share(folder: Path) -> None:
    """Lets this process use SharedForkServers."""
    _shared[:] = [folder]


def _address(folder: Path, modules: Sequence[str]) -> str:
    return str(folder / str(KINDS.index((*modules,))))


def _start(modules: Sequence[str], control: socket.socket, stdin: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.fork_server", str(control.fileno()), *modules],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"},
        stdin=stdin,
        pass_fds=[control.fileno()],
        start_new_session=True,  # Ctrl-C is for the tests, which end this
    )


@cache
def fork_server(modules: tuple[str, ...]) -> ForkServer:
    return ForkServer(modules)


def run(
    program: Sequence[str], environment: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Runs a command of ``app.cli`` to its end; its whole output is in ``stderr``, and in a file in ``folder``."""
    path = folder / f"command-{os.urandom(8).hex()}.log"
    with path.open("wb") as output:
        code = fork_server(COMMAND).start(program, environment, output).wait(300)
    return subprocess.CompletedProcess([*program], code, "", path.read_text())
