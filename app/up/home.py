"""The one folder that holds everything of a run: data, logs, pid files, secrets, the lock."""

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

from app.up.errors import UpError

LOG_LIMIT = 10 * 1024 * 1024
LOGS_KEPT = 3  # of each process, beside the one that is written


@dataclass(frozen=True, slots=True)
class Secrets:
    """Made once at random, kept in ``secrets.json`` (0600)."""

    secret_key: str = field(repr=False, default_factory=lambda: random.token_hex(32))
    database_password: str = field(repr=False, default_factory=lambda: random.token_hex(16))
    redis_password: str = field(repr=False, default_factory=lambda: random.token_hex(16))
    demo_password: str = field(repr=False, default_factory=lambda: random.token_urlsafe(12))


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
        """Makes what is missing (0700). Raises UpError where the folder cannot be written or is damaged."""
        root = root.resolve()  # the name by which the kernel lists the folders of processes
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
        """Holds the folder for this process until it ends; returns the open descriptor.

        Raises UpError when another process holds it. A kernel's lock: a pid file outlives its process.
        """
        lock = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode() or "unknown"
            os.close(lock)
            raise UpError(
                f"Taskroom already runs in {self.root} (pid {holder}); "
                "stop that one or set TASKROOM_HOME to another folder"
            ) from None
        (self.run / "environment.json").unlink(missing_ok=True)  # of an earlier run, at other addresses
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        return lock

    def write_environment(self, env: Mapping[str, str]) -> None:
        """For ``script/cli``, while this process holds the lock."""
        _write_private(self.run / "environment.json", dict(env))

    @staticmethod
    def environment_in(root: Path) -> dict[str, str]:
        """What the ``script/up`` that runs in this home has written. Raises UpError when none does, or not yet."""
        run = root.resolve() / "run"
        try:
            with (run / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # it runs; the file of one that was killed is none of ours
            with suppress(FileNotFoundError):
                env: dict[str, str] = json.loads((run / "environment.json").read_text())
                return env
            raise UpError(f"script/up in {root} is not ready yet; try again in a moment") from None
        except FileNotFoundError:
            pass
        except OSError as error:
            raise UpError(
                f"{run} cannot be read ({error.strerror}); be the user who runs script/up"
            ) from error
        raise UpError(
            f"script/up does not run in {root}; start it, or set TASKROOM_HOME to the folder it runs in"
        )

    def log_file(self, name: str) -> Path:
        """The log of a child that is about to start; a long one of earlier runs is put aside as ``.1``."""
        path = self.log / f"{name}.log"
        if _is_long(path):
            path.replace(_next_aside(path))
        return path

    def shorten_log(self, name: str) -> bool:
        """Puts a long log aside while it is written: True when it is empty now. All who write it append, so it is
        copied and cut off at its beginning; of what is written just then a line may be lost. Where no copy can be made,
        as on a full disk, it is emptied all the same. Raises OSError when not even that can be done."""
        path = self.log / f"{name}.log"
        if not _is_long(path):
            return False
        aside = _next_aside(path)
        try:
            shutil.copyfile(path, aside)
        except OSError:
            aside.unlink(missing_ok=True)
        os.truncate(path, 0)
        return True

    def write_pid(self, name: str, pid: int) -> None:
        replacement = self.run / f"{name}.pid.new"
        replacement.write_text(f"{pid}\n")
        replacement.replace(self.run / f"{name}.pid")  # whoever reads it meanwhile never finds it empty

    def remove_pid(self, name: str) -> None:
        (self.run / f"{name}.pid").unlink(missing_ok=True)


def _read_or_make_secrets(path: Path) -> Secrets:
    try:
        return Secrets(**json.loads(path.read_text()))
    except FileNotFoundError:
        made = Secrets()
        _write_private(
            path, asdict(made)
        )  # whole or not there: a half file would lock the database's owner out
        return made
    except (ValueError, TypeError) as error:
        raise UpError(
            f"{path} is damaged ({error}); restore it, or move the folder {path.parent} away"
        ) from error


def _is_long(log: Path) -> bool:
    return log.exists() and log.stat().st_size > LOG_LIMIT


def _next_aside(log: Path) -> Path:
    """``.1``, after what was there has become ``.2`` and so on; the oldest goes."""
    aside = [log.with_name(f"{log.name}.{n}") for n in range(1, LOGS_KEPT + 1)]
    for older, newer in zip(reversed(aside), reversed(aside[:-1]), strict=False):
        if newer.exists():
            newer.replace(older)
    return aside[0]


def _write_private(path: Path, content: dict[str, str]) -> None:
    replacement = path.with_suffix(".new")
    replacement.unlink(missing_ok=True)
    with os.fdopen(os.open(replacement, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    replacement.replace(path)
