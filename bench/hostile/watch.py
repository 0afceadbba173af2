"""Measures the web process during an attack: the latency of /livez, its memory, its long turns."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

from bench import proc
from bench.stand import Ours

ASK_SECONDS = 0.05
LOST_SECONDS = 10.0
OVER, LONGEST = "taskroom_loop_turns_over_50ms", "taskroom_loop_turn_longest_seconds"


@dataclass(slots=True)
class Turns:
    """Turns of the loop over 50 ms, by the code that ran: their number, and the seconds of the longest."""

    over: dict[tuple[str, str], float] = field(default_factory=dict)
    longest: dict[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def of(cls, server: Ours) -> Turns:
        turns = cls()
        for family in text_string_to_metric_families(httpx.get(f"{server.url}/metrics", timeout=60).text):
            for sample in family.samples:
                if sample.name == f"{OVER}_total":
                    turns.over[sample.labels["what"], sample.labels["how"]] = sample.value
                elif sample.name == LONGEST:
                    turns.longest[sample.labels["what"], sample.labels["how"]] = sample.value
        return turns

    def since(self, before: Turns) -> Turns:
        """Returns the turns since ``before``. Only the longest of each name is known, so it stands for them all."""
        over = {of: count - before.over.get(of, 0) for of, count in self.over.items()}
        over = {of: count for of, count in over.items() if count}
        return Turns(over, {of: self.longest[of] for of in over})

    def those(self, how: str) -> Turns:
        over = {of: count for of, count in self.over.items() if of[1] == how}
        return Turns(over, {of: self.longest[of] for of in over})

    @property
    def worst(self) -> float:
        """Milliseconds; 0 without a turn."""
        return max(self.longest.values(), default=0.0) * 1e3

    def __str__(self) -> str:
        return ", ".join(
            f"{self.longest[of] * 1e3:.0f} ms {of[0]} ({count:.0f} times)"
            for of, count in sorted(self.over.items(), key=lambda each: -self.longest[each[0]])
        )


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
