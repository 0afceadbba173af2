"""How fast a task's life is: from its start to a viewer, from task code to disk, and through its log.

Run by script/bench. It starts servers of its own on loopback, prints a table and writes it to bench/results/life.md.
Times are medians of one machine; compare them within one run only.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import socketio

from app.up.embedded_postgres import EmbeddedPostgres
from app.up.embedded_redis import EmbeddedRedis
from app.up.home import Home
from tests.support.system import ROOT, System, User

STARTS = 40
LOAD = 100_000
LONG = 1_000_000
PAGES = 150

Row = tuple[str, str, str]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="taskroom-bench-") as folder:
        home = Home.open(Path(folder))
        with EmbeddedPostgres(home, home.secrets) as postgres, EmbeddedRedis(home, home.secrets) as redis:
            system = System(postgres.url, redis.url, home.log)
            migrate = [sys.executable, "-m", "app.cli", "migrate"]
            subprocess.run(migrate, cwd=ROOT, env=system.environment(), check=True, capture_output=True)
            system.start_worker()
            try:
                with system.web() as url:
                    system.url = url
                    report(measure(system, system.user()))
            finally:
                system.stop()


def measure(system: System, user: User) -> list[Row]:
    user.finished(user.start("test_echo"))
    rows = [*starts(system, user), *load(user)]
    rows += pages(user)
    user.client.close()
    return rows


def starts(system: System, user: User) -> list[Row]:
    """A connected viewer joins as soon as the task has an id; what counts is the worker's first event."""
    answered, first, finished = [], [], []
    client = socketio.Client(reconnection=False)
    seen: dict[str, float] = {}
    client.on("*", lambda type, data: seen.setdefault(f"{data.get('task_id')} {type}", time.perf_counter()))
    client.connect(system.url, auth={"token": user.token}, transports=["websocket"])
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
        ("agent/start answered", _ms(answered), ""),
        ("agent/start to the worker's first event on a viewer", _ms(first), "under 100 ms"),
        ("agent/start to the end of an empty task on a viewer", _ms(finished), ""),
    ]


def load(user: User) -> list[Row]:
    task_id = user.start("emit_load", events=LOAD, rate=0, message_bytes=200)
    snapshot = user.finished(task_id, 120)
    logs = next(p for p in snapshot["phases"] if p["phase_id"] == "load")["processed_count"]
    assert (snapshot["task"]["status"], logs) == ("SUCCESS", LOAD), snapshot["task"]["error"]
    result = snapshot["task"]["result"]
    took = _seconds(snapshot["task"]["started_at"], snapshot["task"]["finished_at"])
    return [
        (f"{LOAD:,} events of 200 bytes, stored", f"{LOAD / took:,.0f} events/s", "at least 20,000 events/s"),
        ("one log() call in task code, median", f"{result['median_log_us']:.1f} µs", "at most 10 µs"),
    ]


def pages(user: User) -> list[Row]:
    """The first and the last pages of a task with a million events, in turn."""
    task_id = user.start("emit_load", events=LONG, rate=0, message_bytes=200)
    last = user.finished(task_id, 600)["sequence"]
    near: list[float] = []
    far: list[float] = []
    back: list[float] = []
    for n in range(PAGES):
        near.append(_timed(lambda n=n: user.get(f"tasks/{task_id}/logs", since_sequence=100 * n, limit=100)))
        far.append(
            _timed(
                lambda n=n: user.get(f"tasks/{task_id}/logs", since_sequence=last - 100 * n - 100, limit=100)
            )
        )
        back.append(
            _timed(lambda n=n: user.get(f"tasks/{task_id}/logs", before_sequence=last - 100 * n, limit=100))
        )
    ratio = statistics.median(far) / statistics.median(near)
    return [
        ("log page at the start of a million events", _ms(near), ""),
        ("log page at its end", f"{_ms(far)}, {ratio:.2f} times", "within 1.5 times"),
        ("log page at its end, backwards", _ms(back), ""),
    ]


def report(rows: list[Row]) -> None:
    lines = [
        "# A task's life",
        "",
        f"{platform.system()}, Python {platform.python_version()}, one machine.",
        "",
    ]
    lines += ["| figure | measured | wanted |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    text = "\n".join(lines)
    print(text)
    (ROOT / "bench" / "results" / "life.md").write_text(text + "\n")


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _ms(times: list[float]) -> str:
    ordered = sorted(times)
    return (
        f"{statistics.median(ordered) * 1000:.1f} ms (p95 {ordered[int(len(ordered) * 0.95)] * 1000:.1f} ms)"
    )


def _seconds(start: str, end: str) -> float:
    from datetime import datetime

    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


if __name__ == "__main__":
    main()
