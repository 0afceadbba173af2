"""Taskroom alone: the effect of each kind of attacker on two hundred viewers of a run."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

from bench.contest import Contest
from bench.figures import OURS, Figure
from bench.hostile.ground import finished_tasks, long_log
from bench.hostile.kinds import KINDS
from bench.hostile.target import CLOSED, REFUSED, SERVED, Order
from bench.hostile.turns import Turns
from bench.hostile.watch import Asking
from bench.load import Load, copies
from bench.measure import Run, deliver
from bench.stand import Ours, Task
from tests.support.system import ROOT, User

VIEWERS = 200
RATE, SECONDS = 40, 8
LOG, TASKS, REPORTS = 50_000, 20_000, 4
NOBODY = "nobody attacks"
ATTACK = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "bench.hostile"]


class Attack:
    """An attacker that waits for ``go``; ``answers`` waits for its end."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._process = subprocess.Popen(
            ATTACK, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._say(order.json())
        assert self._hear() == "ready\n", "the attacker did not start"

    def __enter__(self) -> Attack:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def go(self) -> None:
        self._say("go")

    def answers(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self._hear())
        return found

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


def hostile(contest: Contest) -> list[Figure]:
    """200 viewers of a run with 40 events a second, half of them on each wire, beside one attacker of each kind for 8 s
    with an address and an account of its own: a web process for each, without nginx, with the limits that it ships
    with."""
    stand = contest.stand
    with contest.ours():
        viewer = stand.system.user("global_admin")
        log = stand.task()
        long_log(stand.system, log.id, LOG)
        reporter = stand.system.user("worker")
        reports = [stand.user.start("emit_load") for _ in range(REPORTS)]
    tasks = finished_tasks(stand.system, stand.user, TASKS)
    figures = []
    for kind in (NOBODY, *KINDS):
        with contest.ours(TASKROOM_BENCH="0") as server:
            run = stand.task()
            order = Order(
                kind,
                server.address,
                stand.user.token,
                stand.user.email,
                tasks,
                log.id,
                run.id,
                reporter.token,
                reports,
                SECONDS + 1.0,
            )
            figures += _beside(server, viewer, run, order)
    return figures


def _beside(server: Ours, viewer: User, run: Task, order: Order) -> list[Figure]:
    with Load() as load:
        for wire in server.wires:
            load.add(copies(server.room(wire, run, user=viewer), VIEWERS // 2))
        load.join_all()
        before = Turns.of(server.url)
        publishing = server.publisher([run], RATE, RATE * SECONDS)
        answers: dict[str, int] = {}
        with Asking(server) as asking:
            if order.kind == NOBODY:
                found = deliver(load, server, publishing)
            else:
                with Attack(order) as attack:
                    attack.go()
                    found = deliver(load, server, publishing)
                    answers = attack.answers()
        turns = Turns.of(server.url).since(before)
    return _figures(order.kind, found, asking, turns, answers)


def _figures(kind: str, run: Run, asking: Asking, turns: Turns, answers: dict[str, int]) -> list[Figure]:
    livez = float(np.percentile(asking.times, 99)) * 1e3
    grown = (asking.most - asking.before) / 1e6
    computed, waited = turns.those("computed"), turns.those("waited")
    answered = ", ".join(f"{answers.get(name, 0):,} {name}" for name in (SERVED, REFUSED, CLOSED))
    print(
        f"  {kind}: p50 {run.percentile(50) * 1e3:.1f}, p99 {run.percentile(99) * 1e3:.1f} ms, "
        f"/livez p99 {livez:.0f} ms, grew by {grown:.1f} MB; {answered}",
        *(f"    {how}: {of}" for how, of in (("computed", computed), ("waited", waited)) if of.over),
        *(f"  ! {why}" for why in [*run.doubts, *run.faults[:3]]),
        sep="\n",
        flush=True,
    )
    doubts = {OURS: ", ".join(run.doubts)} if run.doubts else {}

    def figure(name: str, unit: str, value: float, target: float | None = None) -> Figure:
        return Figure("hostile", f"{kind}: {name}", unit, {OURS: value}, target, doubts=dict(doubts))

    def turn(how: str, of: Turns) -> Figure:
        named = {OURS: f"{kind}: {of}"} if of.over else {}
        return Figure(
            "hostile", f"{kind}: longest turn over 50 ms that {how}", "ms", {OURS: of.worst}, 50, doubts=named
        )

    if kind == "wrong passwords":  # two checks at a time have 64 MB each
        memory = figure("web process has, at most", "MB", asking.most / 1e6, 300)
    else:
        memory = figure("web process grew by, at most", "MB", grown, 50)
    found = [
        figure("viewers, commit to receipt, p50", "ms", run.percentile(50) * 1e3),
        figure("viewers, commit to receipt, p99", "ms", run.percentile(99) * 1e3),
        figure("delivered once and in order", "%", run.share, 100),
        figure("`/livez`, p99", "ms", livez, 300),
        memory,
        turn("computed", computed),
        turn("waited, for what blocks or for a core", waited),
    ]
    found[2].at_least = True
    if kind != NOBODY:
        found += [figure(f"attacker, {name}", "", answers.get(name, 0)) for name in (SERVED, REFUSED, CLOSED)]
    return found
