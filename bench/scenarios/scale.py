"""Taskroom alone: one viewer's wait, ten thousand viewers, a thousand tasks, a thousand rings, two processes."""

from __future__ import annotations

import time

import numpy as np

from bench import proc
from bench.contest import Contest
from bench.figures import OURS, Figure
from bench.load import Load, copies
from bench.measure import deliver
from bench.scenarios.rooms import grown, say

RING = 512


def one_viewer(contest: Contest) -> list[Figure]:
    """From the call that reports an event to the viewer's receipt; the event is durable in between."""
    figures = []
    for wire in ("SSE", "Socket.IO"):
        for rate, events in ((1, 30), (10, 200)):
            with contest.ours() as server, Load() as load:
                task = contest.stand.task()
                load.add([server.room(wire, task)])
                load.join_all()
                run = deliver(load, server, server.publisher([task], rate, events))
            say(f"{wire}, {rate}/s", run)
            for share, target in ((50, 4.0), (99, 15.0)):
                name = f"log() to receipt, {wire}, {rate} a second, p{share}"
                value = float(np.percentile(run.from_call, share)) * 1e3
                figures.append(Figure("one-viewer", name, "ms", {OURS: value}, target))
    return figures


def ten_thousand(contest: Contest) -> list[Figure]:
    """Ten thousand SSE viewers on one process, which then receive only keep-alives."""
    viewers, seconds = 10_000, 30.0
    with contest.ours() as server, Load() as load:
        room = server.room("SSE", contest.stand.task())
        load.add(copies(room, 20))
        load.join_all()
        before, cpu = proc.memory(server.pid), proc.cpu_seconds(server.pid)
        load.add(copies(room, viewers))
        joined = load.join_all()
        join_cpu = (proc.cpu_seconds(server.pid) - cpu) / viewers
        memory = grown(load, server, before) / viewers
        cpu, comments = proc.cpu_seconds(server.pid), sum(v.comments for v in load.viewers)
        load.run(lambda: False, seconds)
        share = 100 * (proc.cpu_seconds(server.pid) - cpu) / seconds
        comments = sum(v.comments for v in load.viewers) - comments
        faults = len(load.faults)
        kernel = proc.socket_memory()
    print(
        f"  joined in {joined:.1f} s, {join_cpu * 1e3:.2f} ms CPU and {memory:.1f} KB each, idle {share:.1f} %, "
        f"{comments:,} keep-alives"
    )
    name = "ten-thousand"
    return [
        Figure(name, "10,000 SSE viewers joined", "s", {OURS: joined}, 8),
        Figure(name, "web process's CPU for a join", "ms", {OURS: join_cpu * 1e3}),
        Figure(name, "process memory each", "KB", {OURS: memory}, 6),
        Figure(name, "CPU while idle, of a core", "%", {OURS: share}, 2),
        Figure(
            name,
            "keep-alives each in 30 s",
            "",
            {OURS: comments / len(load.viewers)},
            1,
            at_least=True,
        ),
        Figure(name, "viewers lost", "", {OURS: faults}, 0),
        Figure(name, "TCP buffers in the kernel, all sockets", "MB", {OURS: kernel / 1e6}),
    ]


def thousand_tasks(contest: Contest) -> list[Figure]:
    """A thousand tasks with an event a second each, one viewer each."""
    count = 1_000
    with contest.ours() as server, Load() as load:
        tasks = contest.stand.tasks(count)
        load.add(server.room("SSE", task, n) for n, task in enumerate(tasks))
        load.join_all()
        run = deliver(load, server, server.publisher(tasks, count, 15))
    say(OURS, run)
    name = "thousand-tasks"
    doubts = {OURS: ", ".join(run.doubts)} if run.doubts else {}
    return [
        Figure(name, "delivered once and in order", "%", {OURS: run.share}, 100, True, doubts),
        Figure(name, "commit to receipt, p50", "ms", {OURS: run.percentile(50) * 1e3}, doubts=doubts),
        Figure(name, "commit to receipt, p99", "ms", {OURS: run.percentile(99) * 1e3}, 100, doubts=doubts),
        Figure(name, "web process, of a core", "%", {OURS: 100 * run.server_share}, 60, doubts=doubts),
    ]


def rings(contest: Contest) -> list[Figure]:
    """A thousand watched rooms, each with more recent events than all of them together may keep."""
    count = 1_000
    with contest.ours() as server, Load() as load:
        tasks = contest.stand.tasks(count)
        load.add(server.room("SSE", task, n) for n, task in enumerate(tasks))
        load.join_all()
        before = proc.memory(server.pid)
        run = deliver(load, server, server.publisher(tasks, 10_000, RING))
        say(OURS, run)
        memory = grown(load, server, before) * 1024
        kept = _metric(contest, "taskroom_ring_bytes")
        kernel = proc.socket_memory()
        # Again from the first event: Postgres has what the rings have dropped.
        again = load.add(server.room("SSE", task, n) for n, task in enumerate(tasks))
        started = time.monotonic()
        load.join_all()
        load.run(load.reached(RING, again), 60)
        took = time.monotonic() - started
        caught_up = sum(v.sequence - v.first == RING for v in again)
        after = proc.memory(server.pid)
    print(
        f"  {kept / 1e6:.0f} MB in rings, grew by {memory / 1e6:.0f} MB; "
        f"{caught_up} viewers more read all in {took:.1f} s"
    )
    name = "rings"
    return [
        Figure(name, f"kept in rings, {count:,} rooms of {RING} events", "MB", {OURS: kept / 1e6}, 64),
        Figure(name, "process grew by", "MB", {OURS: memory / 1e6}),
        Figure(name, "process in all, after every room was read again", "MB", {OURS: after / 1e6}),
        Figure(name, "TCP buffers in the kernel, all sockets", "MB", {OURS: kernel / 1e6}),
        Figure(name, "delivered once and in order", "%", {OURS: run.share}, 100, at_least=True),
        Figure(name, "read again from the first event", "%", {OURS: 100 * caught_up / count}, 100, True),
        Figure(name, "reading again took", "s", {OURS: took}),
    ]


def _metric(contest: Contest, name: str) -> float:
    """Returns the metrics of the web process."""
    text = contest.stand.user.client.get("/metrics").text
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))
