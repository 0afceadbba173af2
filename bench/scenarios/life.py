"""Taskroom alone, with a real worker: the time from a task's start to a viewer, and to read its log."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import datetime

import socketio

from bench.contest import Contest
from bench.figures import OURS, Figure
from bench.stand import Ours
from tests.support.system import User

STARTS = 40
LOAD = 100_000
LONG = 1_000_000
PAGES = 150


def worker(contest: Contest) -> list[Figure]:
    """One worker child writes as fast as it can; every event is durable when its task has ended."""
    with contest.ours(), contest.stand.worker():
        user = contest.stand.user
        user.finished(user.start("test_echo"))  # the first task does one-time work
        task_id = user.start("emit_load", events=LOAD, rate=0, message_bytes=200)
        snapshot = user.finished(task_id, 120)
    task = snapshot["task"]
    logs = next(p for p in snapshot["phases"] if p["phase_id"] == "load")["processed_count"]
    assert (task["status"], logs) == ("SUCCESS", LOAD), task["error"]
    times = (datetime.fromisoformat(task[name]) for name in ("started_at", "finished_at"))
    start, end = times
    rate, call = LOAD / (end - start).total_seconds(), task["result"]["median_log_us"]
    print(f"  {rate:,.0f} events/s, log() {call:.1f} µs")
    return [
        Figure("worker", f"{LOAD:,} events of a task, durable", "events/s", {OURS: rate}, 50_000, True),
        Figure("worker", "one log() call in task code, median", "µs", {OURS: call}, 5),
    ]


def life(contest: Contest) -> list[Figure]:
    """The time from agent/start to a viewer's first event, and a long log page by page."""
    with contest.ours() as server, contest.stand.worker():
        user = contest.stand.user
        user.finished(user.start("test_echo"))
        figures = [*_starts(server, user), *_pages(user)]
    print(*(f"  {figure.name}: {figure.values[OURS]:.1f} {figure.unit}" for figure in figures), sep="\n")
    return figures


def _starts(server: Ours, user: User) -> list[Figure]:
    """Joins with a connected viewer as soon as the task has an id; measures the time to the worker's first event."""
    answered, first, finished = [], [], []
    client = socketio.Client(reconnection=False)
    seen: dict[str, float] = {}
    client.on("*", lambda type, data: seen.setdefault(f"{data.get('task_id')} {type}", time.perf_counter()))
    client.connect(server.url, auth={"token": user.token}, transports=["websocket"])
    for _ in range(STARTS):
        began = time.perf_counter()
        task_id = user.start("test_echo", text="now")
        answered.append(time.perf_counter() - began)
        client.emit("join_task", {"task_id": task_id, "since_sequence": 0})
        user.finished(task_id)
        limit = time.perf_counter() + 5
        while not {f"{task_id} agent_started", f"{task_id} agent_completed"} <= seen.keys():
            assert time.perf_counter() < limit, "the viewer did not see the run"
            time.sleep(0.001)
        first.append(seen[f"{task_id} agent_started"] - began)
        finished.append(seen[f"{task_id} agent_completed"] - began)
    client.disconnect()
    return [
        _figure("agent/start answered, median", answered),
        _figure("agent/start to the worker's first event on a viewer, median", first, 100),
        _figure("agent/start to the end of an empty task on a viewer, median", finished),
    ]


def _pages(user: User) -> list[Figure]:
    """Reads the first and the last pages of a task with a million events."""
    task_id = user.start("emit_load", events=LONG, rate=0, message_bytes=200)
    last = user.finished(task_id, 600)["sequence"]
    path = f"tasks/{task_id}/logs"
    near: list[float] = []
    far: list[float] = []
    back: list[float] = []
    for n in range(PAGES):
        at = 100 * n
        near.append(_timed(lambda at=at: user.get(path, since_sequence=at, limit=100)))
        far.append(_timed(lambda at=at: user.get(path, since_sequence=last - at - 100, limit=100)))
        back.append(_timed(lambda at=at: user.get(path, before_sequence=last - at, limit=100)))
    ratio = statistics.median(far) / statistics.median(near)
    return [
        _figure("log page at the start of a million events, median", near),
        _figure("log page at its end, median", far),
        Figure("life", "its end over its start", "times", {OURS: ratio}, 1.5),
        _figure("log page at its end, backwards, median", back),
    ]


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _figure(name: str, times: list[float], target: float | None = None) -> Figure:
    return Figure("life", name, "ms", {OURS: statistics.median(times) * 1000}, target)
