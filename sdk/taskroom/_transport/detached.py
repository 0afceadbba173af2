"""A process of its own that sends what this one leaves in the spool: ``taskroom sync``, without a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from taskroom._transport.settings import KEY, SPOOL, URL, Settings
from taskroom.limits import LINGER_SECONDS

# This package is found last: beside it may be what hides modules of Python.
PROGRAM = "import sys; sys.path.append({folder!r}); from taskroom.cli.main import main; sys.exit(main())"
FOLDER = Path(__file__).resolve().parents[2]
FIRST = Path("/proc/1/comm")  # only Linux has it
INITS = frozenset(("systemd", "init", "openrc-init", "runit"))  # first processes of machines
UNIT = "SYSTEMD_EXEC_PID"  # has the first process of a unit, since systemd 248


def can_start() -> bool:
    """Whether such a process can be started: the executable of an embedded Python is no Python."""
    name = Path(sys.executable or "").name.lower()
    return os.name == "posix" and os.getpid() != 1 and name.startswith(("python", "pypy"))


def outlives() -> bool:
    """Whether such a process surely goes on after the end of this one. A container ends with its first process: that is
    this one, or a shell or a small init that ends with this one. So does a unit of systemd, which then ends all others
    that it has begun."""
    if not can_start() or os.environ.get(UNIT) in (str(os.getpid()), str(os.getppid())):
        return False
    try:
        return FIRST.read_text().strip() in INITS
    except OSError:
        return True


def start(settings: Settings) -> bool:
    """Starts it. It waits for nobody, and nobody waits for it. False when it cannot be started."""
    if not can_start():
        return False
    command = [sys.executable, "-c", PROGRAM.format(folder=str(FOLDER))]
    # The key is in the environment: the list of processes is for everybody.
    environment = {**os.environ, URL: settings.url, KEY: settings.key, SPOOL: str(settings.spool)}
    try:
        process = subprocess.Popen(
            [*command, "sync", "--timeout", str(LINGER_SECONDS)],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, RuntimeError):  # no processes left, or the interpreter ends
        return False
    process.returncode = 0  # or Python would warn that it still runs
    return True
