"""Cuts the connections of thousands of SSE viewers at random and measures how long each takes to catch up.

A replay is the time from the request of a reconnection to the last event that the viewer missed meanwhile.
"""

from __future__ import annotations

import random
import time
import uuid
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench import proc
from bench.load import Load, Viewer, copies
from bench.rooms import SseRoom
from tests.faults.checker import Stored
from tests.faults.run import SUCCESS
from tests.faults.system import Taskroom

CUT_EVERY, AWAY = 15.0, 2.0  # seconds: the random mean; fixed
CALM = 3.0  # seconds before the end without cuts
JOINS_A_SECOND = 100.0
LATE_SECONDS = 240.0
CHECK_SECONDS = 0.5
P99_TARGET = 0.3


@dataclass(slots=True)
class Jitter:
    """``replays`` are sorted seconds; ``missed`` counts the events that viewers do not have at the end."""

    viewers: int
    events: int = 0
    missed: int = 0
    cuts: int = 0
    replays: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def delivered(self) -> float:
        """Per cent, each event once and in order."""
        return 100 * (1 - self.missed / max(1, self.viewers * self.events))

    @property
    def ok(self) -> bool:
        return not self.faults and not self.missed and self.events > 0

    def percentile(self, share: float) -> float:
        return self.replays[int((len(self.replays) - 1) * share / 100)] if self.replays else float("nan")

    def __str__(self) -> str:
        return (
            f"{self.viewers:,} viewers, {self.events} events, {self.cuts:,} cuts: delivered {self.delivered:.3f} %; "
            f"{len(self.replays):,} replays, p50 {1e3 * self.percentile(50):.0f} ms, "
            f"p99 {1e3 * self.percentile(99):.0f} ms, longest {1e3 * self.percentile(100):.0f} ms"
        )


class Cutter:
    """Cuts and reconnects viewers until ``lines`` lines are published and a viewer has missed an event.

    ``step`` is called every 20 ms. ``asked`` has each reconnection: the viewer, the time of the request (ns), the
    newest sequence at that time.
    """

    def __init__(self, load: Load, room: SseRoom, lines: int, seed: int) -> None:
        self.load, self.room, self._left, self._counted = load, room, lines, 0
        self.cuts = 0
        self.asked: list[tuple[int, int, int]] = []
        self._random = random.Random(seed)
        now = time.monotonic()
        self._due = {v.number: now + self._pause() for v in load.viewers}
        self._away: list[tuple[float, Viewer]] = []
        self._opening: list[Viewer] = []

    def step(self) -> None:
        now = time.monotonic()
        # The first reader of an event extends the canon, so the end of the canon is the newest published event.
        head = self.room.text.last
        self._opening = [viewer for viewer in self._opening if not self._note(viewer, head)]
        while self._away and self._away[0][0] <= now:
            viewer = self._away.pop(0)[1]
            self.load.resume([viewer])
            self._opening.append(viewer)
            self._due[viewer.number] = now + self._pause()
        out = self.room.text.bytes
        self._left -= out.count(b"event: log\n", self._counted)
        self._counted = len(out)
        if self.calm:
            return
        for viewer in self.load.viewers:
            if self._due[viewer.number] <= now and viewer.joined_at and viewer.socket:
                self.load.cut([viewer])
                self.cuts += 1
                self._due[viewer.number] = float("inf")
                self._away.append((now + AWAY, viewer))

    @property
    def calm(self) -> bool:
        """Whether the cuts are over."""
        return self._left <= 0 and bool(self.asked)

    @property
    def over(self) -> bool:
        return not self._away and not self._opening

    def _note(self, viewer: Viewer, head: int) -> bool:
        if viewer.started_at and head > viewer.sequence:
            self.asked.append((viewer.number, viewer.started_at, head))
        return bool(viewer.started_at) or bool(viewer.fault)

    def _pause(self) -> float:
        return self._random.expovariate(1 / CUT_EVERY)


def jitter(taskroom: Taskroom, *, viewers: int, events: int, rate: float, seed: int = 0) -> Jitter:
    """Runs a task with so many log events and cuts its viewers until shortly before its end.

    The task begins when all viewers watch. It runs on until a viewer that was cut has missed an event, so on a stalled
    machine it is longer."""
    proc.raise_file_limit()
    begin, gate = (taskroom.folder / f"{uuid.uuid4().hex}.open" for _ in range(2))
    task_id = taskroom.start(events, rate, gate, begin)
    parts = urlsplit(taskroom.url)
    headers = f"Authorization: Bearer {taskroom.user.token}\r\n"
    path = f"/api/v2/tasks/{task_id}/stream?since_sequence=0"
    room = SseRoom((str(parts.hostname), int(parts.port or 80)), path, headers=headers)
    result = Jitter(viewers)
    with ExitStack() as stack, Load() as load:
        for file in (begin, gate):  # in any case, so that the task does not keep the worker
            stack.callback(file.touch)
        load.add(copies(room, viewers))
        load.join_all(viewers / JOINS_A_SECOND + LATE_SECONDS)
        begin.touch()
        cutter = Cutter(load, room, int(events - rate * CALM), seed)
        last = 0
        looked = 0.0

        def done() -> bool:
            nonlocal last, looked
            cutter.step()
            if cutter.calm:
                gate.touch()
            if not last and time.monotonic() - looked > CHECK_SECONDS:
                looked = time.monotonic()
                ((closed, head),) = taskroom.rows(
                    "SELECT closed, last_seq FROM streams WHERE name = %s", f"task:{task_id}"
                )
                last = head if closed else 0
            return bool(last) and cutter.over and all(v.fault or v.sequence >= last for v in load.viewers)

        load.run(done, events / rate + LATE_SECONDS)
        stored = taskroom.stored(task_id)
        _judge(result, load, stored)
        result.faults += stored.faults(max(events, taskroom.written(task_id)), SUCCESS)
        result.cuts = cutter.cuts
        result.replays = _replays(load, cutter.asked)
    return result


def _judge(result: Jitter, load: Load, stored: Stored) -> None:
    """Checks the viewers' last sequences: the load client has compared the bytes of each viewer with those of all."""
    result.events = stored.last_seq
    for viewer in load.viewers:
        result.missed += stored.last_seq - viewer.sequence
        # The server closes a viewer that has everything, which the load client reports as a fault.
        if viewer.fault and viewer.sequence != stored.last_seq:
            result.faults.append(f"a viewer at {viewer.sequence}: {viewer.fault}")


def _replays(load: Load, asked: list[tuple[int, int, int]]) -> list[float]:
    """Returns the sorted seconds of the finished replays."""
    waiting: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, at, head in reversed(asked):
        waiting[number].append((at, head))
    found = []
    for when, who, upto in zip(load.when, load.who, load.upto, strict=True):
        mine = waiting.get(who)
        while mine and when >= mine[-1][0] and upto >= mine[-1][1]:
            found.append((when - mine.pop()[0]) / 1e9)
    return sorted(found)
