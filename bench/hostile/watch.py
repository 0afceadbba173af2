"""Measures the web process during an attack: the latency of /livez and its memory."""

from __future__ import annotations

import http.client
import threading
import time

from bench import proc
from bench.stand import Ours

ASK_SECONDS = 0.05
LOST_SECONDS = 10.0


class Asking:
    """Requests /livez on a new connection every twentieth of a second, and samples the memory of the process."""

    def __init__(self, server: Ours) -> None:
        self._server = server
        self.times: list[float] = []  # seconds; a request without a response counts as LOST_SECONDS
        self.before = self.most = proc.memory(server.pid)
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._ask, self._look)]

    def __enter__(self) -> Asking:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._stopped.wait(ASK_SECONDS):
            began = time.monotonic()
            connection = http.client.HTTPConnection(*self._server.address, timeout=LOST_SECONDS)
            try:
                connection.request("GET", "/livez")
                connection.getresponse().read()
                self.times.append(time.monotonic() - began)
            except (OSError, http.client.HTTPException):
                self.times.append(LOST_SECONDS)
            finally:
                connection.close()

    def _look(self) -> None:
        while not self._stopped.wait(0.5):
            self.most = max(self.most, proc.memory(self._server.pid))
