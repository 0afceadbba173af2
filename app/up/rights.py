"""The user, the rights and the parent-death signal that a child process starts with."""

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


def nobody_uid() -> int:
    """The user id that Postgres sees as its own. The id must have a name, or initdb refuses it."""
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return 65534


def has_user_name() -> bool:
    """Whether this user is in the user database. Containers may run with an id that is not."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


@functools.cache
def drop_rights() -> tuple[str, ...]:
    """The words before a command that take away all rights of root but that of ports below 1024.

    The command keeps access to root's files; for the files of another user, run ``script/up`` as that user. The tuple
    is empty for other users, and where setpriv (util-linux) is missing or the container forbids it.
    """
    setpriv = shutil.which("setpriv") if os.geteuid() == 0 else None
    if setpriv is None:
        return ()
    kept = "-all,+net_bind_service"
    prefix = (
        *(setpriv, "--no-new-privs", "--securebits", "+noroot,+noroot_locked"),
        *("--inh-caps", kept, "--ambient-caps", kept, "--bounding-set", kept, "--"),
    )
    attempt = subprocess.run(
        (*prefix, "true"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return prefix if attempt.returncode == 0 else ()


def child_setup(parent_death_signal: signal.Signals, user_namespace: bool = False) -> Callable[[], None]:
    """Returns a ``preexec_fn``: the kernel sends the child this signal when the thread that started the child ends.

    ``user_namespace`` moves the child into a user namespace: there the child owns root's files but is not root.
    """
    parent = os.getpid()

    def in_child() -> None:
        if user_namespace:
            _enter_user_namespace()
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(parent_death_signal), 0, 0, 0)
            if os.getppid() != parent:  # the parent ended before prctl took effect
                os._exit(1)

    return in_child


@functools.cache
def user_namespaces_allowed() -> bool:
    """Whether this process may create user namespaces. Many containers forbid it."""
    if not LINUX:
        return False
    try:
        return subprocess.run(["true"], preexec_fn=_enter_user_namespace, check=False).returncode == 0
    except subprocess.SubprocessError:
        return False


def _enter_user_namespace() -> None:
    uid, gid, inside = os.geteuid(), os.getegid(), nobody_uid()
    if _libc is None or _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {uid} 1"),
        ("gid_map", f"{inside} {gid} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text)
