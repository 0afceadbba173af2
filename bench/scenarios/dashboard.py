"""Taskroom alone: the dashboard's cost in Chromium."""

from __future__ import annotations

import gzip
import statistics
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, ViewportSize

from app.http.dashboard import DIST
from bench.contest import Contest
from bench.figures import OURS, Figure
from bench.stand import Ours
from tests.support.chromium import chromium, installed, sign_in
from tests.support.dashboard import Dashboard
from tests.support.system import User, wait_for

SECONDS, RATE = 30, 1000
LONG = 100_000
OPENINGS = 5
SIZE: ViewportSize = {"width": 1400, "height": 900}
# The browser counts frames over 50 ms: a callback at each frame would cause frames.
COUNT_FRAMES = """
    window.slow = []
    new PerformanceObserver(list => slow.push(...list.getEntries().map(entry => entry.duration)))
      .observe({type: "long-animation-frame"})
"""
# The time of the first frame with the run's head and a line of its log, in milliseconds since the navigation.
MARK_PAINT = """
    window.painted = new Promise(done => {
      const look = () => {
        const there = document.querySelector("h1") && document.querySelector('a[href^="#L"]')
        requestAnimationFrame(there ? () => done(performance.now()) : look)
      }
      requestAnimationFrame(look)
    })
"""


def dashboard(contest: Contest) -> list[Figure]:
    """The run page in Chromium: its load at a thousand lines a second, its time to open on a long log, and its size."""
    if not installed():
        contest.absent["the dashboard"] = "there is no Chromium on PATH"
        return []
    with contest.ours() as server, contest.stand.worker(), chromium() as browser:
        user = contest.stand.user
        user.finished(user.start("test_echo"))  # the first task does one-time work
        figures = [*_busy(server, user, browser), *_opened(server, user, browser)]
    for figure in figures:
        print(f"  {figure.name}: {figure.values[OURS]:.2f} {figure.unit}")
    return figures


def _busy(server: Ours, user: User, browser: Browser) -> list[Figure]:
    events = SECONDS * RATE
    with browser.new_context(viewport=SIZE) as context:
        sign_in(context, server.url, user)
        context.add_init_script(COUNT_FRAMES)
        seen = Dashboard(context, server.url)
        task_id = user.start("emit_load", events=events, rate=RATE, message_bytes=120, delay=3)
        seen.open(f"/runs/{task_id}")
        cdp = _measured(context, seen.page)
        wait_for("the first line", lambda: _logs(user, task_id))
        seen.run("slow.length = 0")
        before = _metrics(cdp)
        deadline = time.monotonic() + 4 * SECONDS
        while not user.status(task_id)["task"]["finished_at"]:
            assert time.monotonic() < deadline, "the run does not end"
            seen.page.wait_for_timeout(500)
        seen.has_ended()
        after = _metrics(cdp)
        slow: list[float] = seen.run("slow")
        drawn, stored = seen.read_log(), _all_logs(user, task_id)
    spent = {name: after[name] - before[name] for name in ("Timestamp", "TaskDuration", "ThreadTime")}
    busy, cpu = (100 * spent[name] / spent["Timestamp"] for name in ("TaskDuration", "ThreadTime"))
    shown = 100 * len(set(drawn) & set(stored)) / len(stored) if drawn == sorted(set(drawn)) else 0.0
    name = f"{RATE:,} lines a second for {SECONDS} s"
    return [
        _figure(f"main thread busy, {name}", "%", busy, 50),
        _figure("the same, its CPU", "%", cpu),
        _figure("the same, frames longer than 50 ms", "", len(slow)),
        _figure("the same, the longest frame (0: none over 50)", "ms", max(slow, default=0.0)),
        Figure("dashboard", "the same, lines there once and in order", "%", {OURS: shown}, 100, True),
    ]


def _opened(server: Ours, user: User, browser: Browser) -> list[Figure]:
    """Opens the page cold, in a new browser context, and warm, with the scripts in the cache."""
    task_id = user.start("emit_load", events=LONG, rate=0, message_bytes=120)
    user.finished(task_id, 120)
    cold: list[float] = []
    warm: list[float] = []
    loaded: set[str] = set()
    for _ in range(OPENINGS):
        with browser.new_context(viewport=SIZE) as context:
            sign_in(context, server.url, user)
            context.add_init_script(MARK_PAINT)
            seen = Dashboard(context, server.url)
            seen.page.on("request", lambda request: loaded.add(urlsplit(request.url).path))
            for times in (cold, warm):
                seen.open(f"/runs/{task_id}")
                times.append(float(seen.run("painted")))
            seen.page.wait_for_load_state("networkidle")
    name = f"a run page with {LONG:,} lines: its head and log painted, median of {OPENINGS}"
    scripts = sorted((DIST / "assets").glob("*.js"))
    page = [path for path in scripts if f"/{path.relative_to(DIST).as_posix()}" in loaded]
    assert page, "the page loaded no script that is in static/dist"
    return [
        _figure(f"{name}, empty cache", "ms", statistics.median(cold), 1000),
        _figure(f"{name}, warm cache", "ms", statistics.median(warm), 1000),
        _figure("JavaScript that a run page loads, gzipped", "KB", _zipped(page), 120),
        _figure("all JavaScript of the dashboard, gzipped", "KB", _zipped(scripts), 120),
    ]


def _zipped(paths: list[Path]) -> float:
    return sum(len(gzip.compress(path.read_bytes())) for path in paths) / 1000


def _measured(context: BrowserContext, page: Page) -> CDPSession:
    cdp = context.new_cdp_session(page)
    cdp.send("Performance.enable")
    return cdp


def _metrics(cdp: CDPSession) -> dict[str, float]:
    """Returns seconds: TaskDuration is the time with work for the page's main thread, also while it waited for a core;
    ThreadTime is its CPU time; Timestamp is the clock."""
    return {entry["name"]: entry["value"] for entry in cdp.send("Performance.getMetrics")["metrics"]}


def _logs(user: User, task_id: str, since: int = 0) -> list[int]:
    page = user.get(f"tasks/{task_id}/logs", since_sequence=since, limit=1000)
    return [line["sequence"] for line in page["logs"]]


def _all_logs(user: User, task_id: str) -> list[int]:
    found: list[int] = []
    while more := _logs(user, task_id, found[-1] if found else 0):
        found += more
    return found


def _figure(name: str, unit: str, value: float, target: float | None = None) -> Figure:
    return Figure("dashboard", name, unit, {OURS: value}, target)
