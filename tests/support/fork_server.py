"""A process that has imported what programs need, and forks one for each request.

The first argument is the descriptor of a socket: the other end is a process of the test run, which sends requests. Or
it listens: then each process of the run that connects to it has a fork of this one. The second argument is "patched"
when eventlet is to patch the standard library before the imports. The others are the modules to import. ``forks.py`` is
the other side.
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import warnings
from typing import Any

# Found before eventlet patches them: this process has no loop.
poll, fork, read, write, close, waitpid = select.poll, os.fork, os.read, os.write, os.close, os.waitpid
Socket = socket.socket
READABLE = select.POLLIN
STDIN = 0
LONGEST_REQUEST = 1 << 20
MOST_FILES = 4096
FILES = 2  # with each request: the output of the program, and the pipe that gets its exit status

exit_pipes: dict[int, int] = {}  # by the pid of the program


def main(control: socket.socket, patched: bool, modules: list[str]) -> None:
    load(patched, modules)
    if control.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        accepted = accept(control)
        if accepted is None:
            return
        control = accepted
    serve(control, patched)


def load(patched: bool, modules: list[str]) -> None:
    with warnings.catch_warnings(record=True):  # eventlet's own, which each program would write into its log
        if patched:
            from app import green

            green.patch()
        for module in modules:
            importlib.import_module(module)
        compile_statements()
    gc.collect()
    gc.freeze()  # else the first collection in each program would copy all pages


def compile_statements() -> None:
    """Compiles the statements of the imported modules: 0.1 s, of which each program would need a part."""
    if found := sys.modules.get("app.db.statements"):
        for each in gc.get_objects():
            if isinstance(each, found.Statement):
                assert each.text


def accept(listener: socket.socket) -> socket.socket | None:
    """Forks for each connection, and returns it in the fork; None once stdin is closed, when the tests have ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how the forks end
    waiting = poll()
    for fd in (listener.fileno(), STDIN):
        waiting.register(fd, READABLE)
    while all(fd != STDIN for fd, _ in waiting.poll()):
        fd, _ = listener._accept()  # type: ignore[attr-defined]  # what accept returns is patched
        if fork() == 0:
            listener.close()
            os.dup2(os.open(os.devnull, os.O_RDONLY), STDIN)
            return Socket(fileno=fd)
        close(fd)
    return None


def serve(control: socket.socket, patched: bool) -> None:
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    waiting = poll()
    for fd in (control.fileno(), woken):
        waiting.register(fd, READABLE)
    while True:
        for fd, _ in waiting.poll():
            if fd == woken:
                read(woken, 4096)
                tell_ended()
            elif (received := receive(control)) is None:
                return  # the tests have ended
            elif (pid := fork()) == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                control.detach()
                if patched:
                    new_hub()
                become(*received[:2])
                runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
                return  # ends like each program, with its exit functions
            else:
                _, output, exit_pipes[pid] = received
                close(output)
                control.send(str(pid).encode())


def receive(control: socket.socket) -> tuple[dict[str, Any], int, int] | None:
    files = array.array("i")
    data, messages, _, _ = control.recvmsg(LONGEST_REQUEST, socket.CMSG_SPACE(FILES * files.itemsize))
    if not data:
        return None
    for _, _, content in messages:
        files.frombytes(content)
    output, exit_pipe = files
    return json.loads(data), output, exit_pipe


def tell_ended() -> None:
    while exit_pipes:
        pid, status = waitpid(-1, os.WNOHANG)
        if not pid:
            return
        exit_pipe = exit_pipes.pop(pid)
        write(exit_pipe, str(os.waitstatus_to_exitcode(status)).encode())
        close(exit_pipe)


def new_hub() -> None:
    """Gives this process a hub of its own: the one that it has inherited watches the files of its parent."""
    from eventlet import hubs

    hubs.get_hub().poll.close()
    hubs.use_hub()


def become(request: dict[str, Any], output: int) -> None:
    """Makes this the process of the program, in a session of its own. ``request``: its module and arguments,
    environment and folder."""
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, MOST_FILES)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    tempfile.tempdir = None
    sys.argv[:] = request["program"]
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:1] = [request["folder"], *paths]


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2] == "patched", sys.argv[3:])
