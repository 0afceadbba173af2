"""Runs the command ``taskroom`` in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Command:
    """A way to call it: the server, the key, and where it keeps what cannot be sent. ``more`` is of its environment."""

    url: str | None
    key: str | None
    spool: Path
    more: tuple[tuple[str, str], ...] = ()

    def of(self, **more: str) -> Command:
        return replace(self, more=(*self.more, *more.items()))

    @property
    def env(self) -> dict[str, str]:
        left_out = ("TASKROOM_", "COLUMNS", "LINES", "PYTHONWARNINGS")
        env = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        env["TASKROOM_SPOOL"] = str(self.spool)
        if self.url is not None:
            env["TASKROOM_URL"] = self.url
        if self.key is not None:
            env["TASKROOM_KEY"] = self.key
        return env | dict(self.more)

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "taskroom", *words]

    def __call__(self, *words: str, input: str = "") -> Done:
        """Waits for its end."""
        return subprocess.run(
            self.argv(*words),
            env=self.env,
            input=input,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def raw(self, *words: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """The same with bytes."""
        return subprocess.run(
            self.argv(*words), env=self.env, input=input, capture_output=True, check=False, timeout=300
        )

    def start(self, *words: str, pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        """Starts it in a session of its own, with pipes."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.argv(*words), env=self.env, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True,
            pass_fds=pass_fds,
        )  # fmt: skip

    def shell(self, line: str) -> Done:
        """Runs a line of bash."""
        return subprocess.run(
            ("bash", "-c", line), env=self.env, capture_output=True, text=True, check=False, timeout=300
        )
