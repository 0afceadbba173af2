"""One load task, its viewers over both transports, and the result."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.faults.checker import Verdict, judge
from tests.faults.system import Taskroom
from tests.faults.viewers import Sockets, SseWatcher, Watcher
from tests.support.system import wait_for

SSE, SOCKET = "SSE", "Socket.IO"
TRANSPORTS = (SSE, SOCKET)
END_SECONDS = 240.0  # enough for several faults, each with the back-off of a reconnection
SUCCESS = frozenset({"SUCCESS"})


@dataclass(slots=True)
class Outcome:
    """``events`` counts those in Postgres, ``returns`` the reconnections of viewers by transport."""

    ending: str
    events: int
    seconds: float
    returns: dict[str, int]
    verdicts: dict[str, Verdict]
    faults: list[str] = field(default_factory=list)

    @property
    def deliveries(self) -> int:
        return sum(verdict.expected for verdict in self.verdicts.values())

    @property
    def ok(self) -> bool:
        return not self.faults and not any(verdict.wrong for verdict in self.verdicts.values())

    def __str__(self) -> str:
        wrong = [f"{name}: {verdict}" for name, verdict in self.verdicts.items() if verdict.wrong]
        return "; ".join([f"{self.ending}, {self.events:,} events", *wrong, *self.faults])


class Run:
    """A load task. ``held`` makes it write more than ``events`` events, until ``let_go``."""

    def __init__(self, taskroom: Taskroom, host: Sockets, events: int, rate: float, held: bool) -> None:
        self.taskroom, self.host, self.events = taskroom, host, events
        self._gate = taskroom.folder / f"{uuid.uuid4().hex}.open"
        if not held:
            self.let_go()
        self.began = time.monotonic()
        self.task_id = taskroom.start(events, rate, self._gate)
        self.watchers: dict[str, list[Watcher]] = {name: [] for name in TRANSPORTS}

    def watch(self, viewers: int, urls: Sequence[str]) -> None:
        """Adds viewers of each transport, spread over the addresses; they ask for all events."""
        user = self.taskroom.user
        for n in range(viewers):
            url = urls[n % len(urls)]
            self.watchers[SSE].append(SseWatcher(url, user, self.task_id))
            self.watchers[SOCKET].append(self.host.open(url, user, self.task_id))

    @property
    def all(self) -> list[Watcher]:
        return [watcher for name in TRANSPORTS for watcher in self.watchers[name]]

    def let_go(self) -> None:
        """Lets the task end by itself."""
        self._gate.touch()

    def wait_returned(self) -> None:
        """Waits until a viewer of each transport has reconnected."""
        wait_for(
            "a viewer of each transport to reconnect",
            lambda: (
                all(any(watcher.returns > 0 for watcher in each) for each in self.watchers.values())
                or any(watcher.fault for watcher in self.all)
            ),
            END_SECONDS,
        )

    def wait_seen(self, events: int) -> None:
        """Waits until each viewer has seen so many events."""
        wait_for(
            f"{events} events at each viewer",
            lambda: all(len(watcher.seen) >= events or watcher.fault for watcher in self.all),
            END_SECONDS,
        )

    def finish(self, endings: frozenset[str] = SUCCESS) -> Outcome:
        """Waits until each viewer has received the end, then compares its events with Postgres."""
        limit = time.monotonic() + END_SECONDS
        for watcher in self.all:
            while not watcher.fault and not watcher.done.wait(0.1) and time.monotonic() < limit:
                pass
        seconds = time.monotonic() - self.began
        faults = [
            f"a {name} viewer at event {len(watcher.seen)}: {watcher.fault or 'received no end'}"
            for name in TRANSPORTS
            for watcher in self.watchers[name]
            if watcher.fault or not watcher.done.is_set()
        ]
        self.close()  # events until here count: none may follow the end
        stored = self.taskroom.stored(self.task_id)
        verdicts = {name: Verdict() for name in TRANSPORTS}
        for name in TRANSPORTS:
            for watcher in self.watchers[name]:
                verdicts[name].add(judge(watcher.seen, stored.events))
        returns = {
            name: sum(max(0, watcher.returns) for watcher in self.watchers[name]) for name in TRANSPORTS
        }
        asked = max(self.events, self.taskroom.written(self.task_id))  # a held task writes more
        faults += stored.faults(asked, endings)
        return Outcome(stored.ending, len(stored.events), seconds, returns, verdicts, faults)

    def close(self) -> None:
        self.let_go()
        for watcher in self.all:
            watcher.close()


@contextmanager
def running(
    taskroom: Taskroom,
    host: Sockets,
    *,
    events: int,
    rate: float,
    viewers: int,
    urls: Sequence[str] = (),
    held: bool = False,
) -> Iterator[Run]:
    """Runs a load task with ``viewers`` viewers of each transport. All are closed at the end, also after an error."""
    run = Run(taskroom, host, events, rate, held)
    try:
        run.watch(viewers, urls or [taskroom.url])
        yield run
    finally:
        run.close()
