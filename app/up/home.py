"""The folder that holds all files of an installation: data, logs, pid files, secrets and the lock."""

from __future__ import annotations

import fcntl
import json
import os
import secrets as random
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.auth.key_text import new_key
from app.up.errors import UpError

ENVIRONMENT = "environment.json"
LOG_LIMIT = 10 * 1024 * 1024  # bytes
LOGS_KEPT = 3  # rotated logs of each process, besides the current one


@dataclass(frozen=True, slots=True)
class Secrets:
    """Random values, made once and stored in ``secrets.json`` (0600)."""

    secret_key: str = field(repr=False, default_factory=lambda: random.token_hex(32))
    database_password: str = field(repr=False, default_factory=lambda: random.token_hex(16))
    redis_password: str = field(repr=False, default_factory=lambda: random.token_hex(16))
    demo_password: str = field(repr=False, default_factory=lambda: random.token_urlsafe(12))
    demo_key: str = field(repr=False, default_factory=new_key)


@dataclass(frozen=True, slots=True)
class Home:
    """``data/``, ``log/<name>.log``, ``run/<name>.pid`` and the secrets of one folder."""

    root: Path
    secrets: Secrets

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @classmethod
    def open(cls, root: Path) -> Home:
        """Creates what is missing (0700). Raises UpError when the folder is not writable or is damaged."""
        root = root.resolve()  # as /proc names the folders of processes
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("data", "log", "run"):
                (root / name).mkdir(mode=0o700, exist_ok=True)
                if not os.access(root / name, os.W_OK):
                    raise PermissionError(f"no permission to write in {root / name}")
            return cls(root, _read_or_make_secrets(root / "secrets.json"))
        except OSError as error:
            raise UpError(
                f"{root} cannot be used ({error.strerror or error}); "
                "make it writable for this user or set TASKROOM_HOME to another folder"
            ) from error

    def lock(self) -> int:
        """Locks the folder until this process ends; returns the open descriptor.

        Raises UpError when another process holds the lock. The kernel releases this lock at the process's end, whereas
        a pid file would remain.
        """
        lock = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode() or "unknown"
            os.close(lock)
            raise UpError(
                f"Taskroom already runs in {self.root} (pid {holder}); "
                "stop it or set TASKROOM_HOME to another folder"
            ) from None
        (self.run / ENVIRONMENT).unlink(missing_ok=True)  # an earlier run had other addresses
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        return lock

    def write_environment(self, env: Mapping[str, str]) -> None:
        """Stores the environment for ``script/cli``. Call it while this process holds the lock."""
        write_private(self.run / ENVIRONMENT, json.dumps(dict(env), indent=1))

    @staticmethod
    def environment_in(root: Path) -> dict[str, str]:
        """Returns the environment that the running ``script/up`` of this home has stored.

        Raises UpError when no ``script/up`` runs there, and while it has not stored the environment yet.
        """
        run = root.resolve() / "run"
        try:
            with (run / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # script/up runs; without the lock the file may be of a killed script/up
            with suppress(FileNotFoundError):
                env: dict[str, str] = json.loads((run / ENVIRONMENT).read_text())
                return env
            raise UpError(f"script/up in {root} is not ready yet; try again in a moment") from None
        except FileNotFoundError:
            pass
        except OSError as error:
            raise UpError(
                f"{run} cannot be read ({error.strerror}); run this as the user who runs script/up"
            ) from error
        raise UpError(
            f"script/up does not run in {root}; start it, or set TASKROOM_HOME to the folder it runs in"
        )

    def log_file(self, name: str) -> Path:
        """Returns the log of a child that is about to start; rotates a long log of earlier runs first."""
        path = self.log / f"{name}.log"
        if _is_long(path):
            path.replace(_rotated(path))
        return path

    def rotate_log(self, name: str) -> bool:
        """Rotates a long log while processes write to it; returns whether the log is empty now.

        All writers append, so the log is copied and then truncated; a line that is written in between may be lost.
        When no copy can be made, as on a full disk, the log is truncated nevertheless. Raises OSError when even that
        fails.
        """
        path = self.log / f"{name}.log"
        if not _is_long(path):
            return False
        copy = _rotated(path)
        try:
            shutil.copyfile(path, copy)
        except OSError:
            copy.unlink(missing_ok=True)
        os.truncate(path, 0)
        return True

    def write_pid(self, name: str, pid: int) -> None:
        replacement = self.run / f"{name}.pid.new"
        replacement.write_text(f"{pid}\n")
        replacement.replace(self.run / f"{name}.pid")  # atomic: no reader finds an empty file

    def remove_pid(self, name: str) -> None:
        (self.run / f"{name}.pid").unlink(missing_ok=True)


def _read_or_make_secrets(path: Path) -> Secrets:
    try:
        stored = json.loads(path.read_text())
        secrets = Secrets(**stored)
    except FileNotFoundError:
        stored, secrets = {}, Secrets()
    except (ValueError, TypeError) as error:
        raise UpError(
            f"{path} is damaged ({error}); restore it, or move the folder {path.parent} away"
        ) from error
    if asdict(secrets) != stored:  # a new home, or one of a version that had fewer secrets
        # The write is atomic: after half a write the application would not know the password of its database.
        write_private(path, json.dumps(asdict(secrets), indent=1))
    return secrets


def _is_long(log: Path) -> bool:
    return log.exists() and log.stat().st_size > LOG_LIMIT


def _rotated(log: Path) -> Path:
    """Frees the name ``.1`` and returns it: renames ``.1`` to ``.2`` and so on; the oldest log is removed."""
    paths = [log.with_name(f"{log.name}.{n}") for n in range(1, LOGS_KEPT + 1)]
    for older, newer in zip(reversed(paths), reversed(paths[:-1]), strict=False):
        if newer.exists():
            newer.replace(older)
    return paths[0]


def write_private(path: Path, text: str) -> None:
    """Writes the file atomically, readable for this user only."""
    replacement = path.with_suffix(".new")
    replacement.unlink(missing_ok=True)
    with os.fdopen(os.open(replacement, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    replacement.replace(path)
