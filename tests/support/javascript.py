"""A viewer with the official JavaScript client."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import IO, Any

from tests.support.system import ROOT, User, wait_for
from tests.support.viewers import Viewer


class JavaScriptViewer(Viewer):
    """The official JavaScript client in Node. It reconnects and joins again by itself.

    After polling it upgrades by itself, if ``transports`` has both.
    """

    def __init__(
        self, url: str, user: User, task_id: str, transports: tuple[str, ...] = ("websocket",)
    ) -> None:
        super().__init__(url, user, task_id)
        self.transports = transports
        self._joined = 0  # the number of joins before the cut

    def open(self, since: int | str | None = None) -> None:
        self.process = subprocess.Popen(
            ["node", str(ROOT / "tests" / "support" / "viewer.mjs")]
            + [self.url, self.user.token, self.task_id, json.dumps(since), ",".join(self.transports)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self._thread = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._thread.start()

    @property
    def connections(self) -> list[dict[str, Any]]:
        """Name of the transport and session id, of each connect and upgrade."""
        return [data for type, data, _ in list(self.controls) if type == "transport"]

    @property
    def is_open(self) -> bool:
        return self._joins() > 0

    def cut(self) -> None:
        assert self.process.stdin is not None
        self._joined = self._joins()
        self.process.stdin.write("cut\n")
        self.process.stdin.flush()

    def resume(self) -> None:
        """Waits until the client has reconnected, which it does by itself."""
        wait_for("the reconnection", lambda: self._joins() > self._joined, 60)

    def _joins(self) -> int:
        return sum(type == "joined" for type, _, _ in list(self.controls))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(60)
        self._thread.join(60)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            type, data = json.loads(line)
            self.receive(type, data)
        self.closed.set()
