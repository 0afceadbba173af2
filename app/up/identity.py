"""How a child process begins: whose it is, what it may do, and that it does not outlive the supervisor."""

from __future__ import annotations

import ctypes
import functools
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


def nobody() -> int:
    """The id under which Postgres sees itself; it must have a name, or initdb refuses."""
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return 65534


def has_name() -> bool:
    """Whether this user stands in the user database; containers run with ids that do not."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


@functools.cache
def shedding() -> tuple[str, ...]:
    """What root puts before a command that needs none of its rights, but for a port below 1024. It keeps what root's
    files give: whose files are to be another's runs ``script/up`` as another user. Empty for others, and where it does
    not work (no setpriv of util-linux, a container that forbids it)."""
    setpriv = shutil.which("setpriv") if os.geteuid() == 0 else None
    if setpriv is None:
        return ()
    kept = "-all,+net_bind_service"
    before = (
        *(setpriv, "--no-new-privs", "--securebits", "+noroot,+noroot_locked"),
        *("--inh-caps", kept, "--ambient-caps", kept, "--bounding-set", kept, "--"),
    )
    works = subprocess.run(
        (*before, "true"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return before if works.returncode == 0 else ()


def begin(orphan_signal: signal.Signals, namespace: bool = False) -> Callable[[], None]:
    """For ``preexec_fn``: the kernel sends ``orphan_signal`` when the thread that starts the child is gone.

    ``namespace`` puts it into a user namespace in which root's files are its own and it is not root.
    """
    parent = os.getpid()

    def in_child() -> None:
        if namespace:
            _enter_user_namespace()
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
            if os.getppid() != parent:  # it died before the line above took effect
                os._exit(1)

    return in_child


@functools.cache
def namespaces_allowed() -> bool:
    """Whether this process may make user namespaces (many containers forbid it)."""
    if not LINUX:
        return False
    try:
        return subprocess.run(["true"], preexec_fn=_enter_user_namespace, check=False).returncode == 0
    except subprocess.SubprocessError:
        return False


def _enter_user_namespace() -> None:
    uid, gid, inside = os.geteuid(), os.getegid(), nobody()
    if _libc is None or _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {uid} 1"),
        ("gid_map", f"{inside} {gid} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text)
