"""Taskroom alone: all viewers cut at once, a storm of joins, viewers that read nothing."""

from __future__ import annotations

import time
from collections import deque
from itertools import cycle, islice

from bench import proc
from bench.contest import Contest
from bench.figures import OURS, Figure
from bench.load import Load, Viewer, copies
from bench.measure import Run, deliver
from bench.rooms import SseRoom
from bench.scenarios.rooms import VIEWERS, say
from bench.stand import Ours, Task
from bench.statements import Statements

RATE, EVENTS = 1_000, 10_000
JOINS_EVERY_NS = 5_000_000
STAY_NS = 500_000_000
USERS = 50


def reconnect(contest: Contest) -> list[Figure]:
    """5,000 SSE viewers of one room lose their connections and reconnect at once, 500 events later."""
    viewers, behind = 5_000, 500
    figures = []
    stand = contest.stand
    with contest.ours() as server:
        users = [stand.system.user("global_admin") for _ in range(USERS)]
        task = stand.task()
        rooms = [server.room("SSE", task, user=user) for user in users]
        with Load() as load:
            load.add(islice(cycle(rooms), viewers))
            load.join_all()
            load.cut(load.viewers)
            _write(server, task, behind)
            figures += _come_back(contest, load, load.viewers, behind, "the process that they knew")
    with contest.ours() as fresh, Load() as load:
        rooms = [fresh.room("SSE", task, user=user) for user in users]
        for viewer in load.add(islice(cycle(rooms), viewers)):
            viewer.resumes = True
        figures += _come_back(contest, load, [], behind, "a process just started")
    return figures


def _come_back(contest: Contest, load: Load, cut: list[Viewer], behind: int, where: str) -> list[Figure]:
    started = time.monotonic()
    with Statements(contest.stand) as statements:
        load.resume(cut)
        load.run(load.reached(behind), 60)
        took = time.monotonic() - started
    whole = sum(v.sequence - v.first == behind for v in load.viewers)
    history = statements.count("FROM events")
    print(f"  {where}: {whole:,} caught up in {took:.1f} s, {history} history queries", *load.faults[:3])
    return [
        Figure("reconnect", f"caught up, {where}", "s", {OURS: took}, 8),
        Figure("reconnect", f"caught up once and in order, {where}", "%", {OURS: whole / 50}, 100, True),
        Figure("reconnect", f"history queries, {where}", "", {OURS: history}, 5),
    ]


def _write(server: Ours, task: Task, events: int) -> None:
    publishing = server.publisher([task], 50_000, events)
    try:
        publishing.go()
        publishing.times()
    finally:
        publishing.stop()


def join_storm(contest: Contest) -> list[Figure]:
    """200 joins a second in the busy room, each for half a second, and the effect on the others."""
    calm = _busy(contest)
    with contest.ours() as server, Load() as load:
        task = contest.stand.task()
        room = server.room("SSE", task)
        base = load.add(copies(room, VIEWERS))
        load.join_all()
        path = f"/api/v2/tasks/{task.id}/stream?since_sequence=latest"
        assert isinstance(room, SseRoom)
        live = SseRoom(server.address, path, 0, task.head, room.headers, live=True)
        live.raw, live.text = room.raw, room.text  # they share the canon of the others
        guests: list[Viewer] = []
        staying: deque[Viewer] = deque()
        publishing = server.publisher([task], RATE, EVENTS)

        def come_and_go() -> bool:
            if not guests and any(v.sequence > task.head for v in base[:1]):
                count = int(EVENTS / RATE * 1e9) // JOINS_EVERY_NS
                guests.extend(load.add(copies(live, count), every_ns=JOINS_EVERY_NS))
                staying.extend(guests)
            now = time.monotonic_ns()
            while staying and (staying[0].fault or 0 < staying[0].joined_at < now - STAY_NS):
                load.cut([staying.popleft()])
            return bool(guests) and not staying

        storm = deliver(load, server, publishing, base, come_and_go)
    say("in the storm", storm)
    served = sum(v.joined_at > 0 and not v.fault for v in guests)
    waits = sorted((v.joined_at - v.started_at) / 1e6 for v in guests if v.joined_at)
    name = "join-storm"
    return [
        Figure(
            name,
            f"served of {len(guests):,} joins, 200 a second",
            "%",
            {OURS: 100 * served / len(guests)},
            100,
            True,
        ),
        Figure(name, "a join took, p99", "ms", {OURS: waits[int(len(waits) * 0.99)]}),
        *_compared(name, calm, storm, 1.5),
    ]


def stalled(contest: Contest) -> list[Figure]:
    """100 viewers of the busy room stop reading, and the effect on the others."""
    calm = _busy(contest)
    with contest.ours() as server, Load() as load:
        task = contest.stand.task()
        room = server.room("SSE", task)
        base = load.add(copies(room, VIEWERS))
        stuck = load.add(copies(room, 100), receive_buffer=4_096)
        load.join_all()
        publishing = server.publisher([task], RATE, EVENTS)
        load.stall(stuck)
        before = most = proc.memory(server.pid)
        looked = 0.0

        def look() -> bool:
            nonlocal most, looked
            if time.monotonic() - looked > 0.5:
                looked = time.monotonic()
                most = max(most, proc.memory(server.pid))
            return True

        run = deliver(load, server, publishing, base, look)
    run.full_buffers = 0  # this scenario fills them on purpose
    say("beside stalled ones", run)
    return [
        Figure("stalled", "web process grew by, at most", "MB", {OURS: (most - before) / 1e6}, 30),
        *_compared("stalled", calm, run, 1.3),
    ]


def _busy(contest: Contest) -> Run:
    with contest.ours() as server, Load() as load:
        task = contest.stand.task()
        load.add(copies(server.room("SSE", task), VIEWERS))
        load.join_all()
        run = deliver(load, server, server.publisher([task], RATE, EVENTS))
    say("undisturbed", run)
    return run


def _compared(name: str, calm: Run, disturbed: Run, times: float) -> list[Figure]:
    before, after = calm.percentile(99) * 1e3, disturbed.percentile(99) * 1e3
    doubts = {OURS: ", ".join(disturbed.doubts)} if disturbed.doubts else {}
    return [
        Figure(
            name, "delivered once and in order to the others", "%", {OURS: disturbed.share}, 100, True, doubts
        ),
        Figure(name, "the others' p99, undisturbed", "ms", {OURS: before}),
        Figure(name, "the others' p99", "ms", {OURS: after}, times * before, doubts=doubts),
    ]
