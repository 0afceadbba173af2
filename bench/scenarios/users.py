"""Taskroom alone: a thousand users with their notifications, and a user with very many."""

from __future__ import annotations

import statistics
import time

import numpy as np

from bench import proc
from bench.contest import Contest
from bench.figures import OURS, Figure
from bench.load import Load
from bench.measure import Run, deliver
from bench.rooms import SseRoom
from bench.scenarios.rooms import grown, say
from bench.stand import Feed, Ours
from tests.support.system import User

USERS = 1_000
FIRST = 84  # connections before the run, most of them at once: those to Postgres stay open
IDLE_SECONDS = 30.0
MANY = 100_000
CALLS = 200


def users(contest: Contest) -> list[Figure]:
    """A thousand users on `/api/notifications/stream`, idle and then with one notification a minute each."""
    with contest.ours() as server, Load() as load:
        accounts = contest.stand.users(USERS + FIRST)
        load.add(_room(server, user) for user in accounts[USERS + 20 :])  # these cause one-time costs
        load.join_all()
        alone = []
        for user in accounts[USERS : USERS + 20]:
            (viewer,) = load.add([_room(server, user)])
            load.join_all()
            alone.append((viewer.joined_at - viewer.started_at) / 1e6)
        base = _share_of_core(load, server)
        before = proc.memory(server.pid)
        watching = load.add(_room(server, user, n) for n, user in enumerate(accounts[:USERS]))
        load.join_all()
        joins = [(viewer.joined_at - viewer.started_at) / 1e6 for viewer in watching]
        memory = grown(load, server, before) / USERS
        idle = _share_of_core(load, server)
        feeds = [Feed(user.id, 0) for user in accounts[:USERS]]
        run = deliver(load, server, contest.stand.notifying(feeds, USERS / 60, 1), watching)
        faults = len(load.faults)
    say(OURS, run)
    name, hundreds, busy = "users", USERS / 100, 100 * run.server_share
    asked = [
        Figure(name, "connection established, one at a time, longest", "ms", {OURS: max(alone)}, 500),
        Figure(name, "connection established, a thousand at once, longest", "ms", {OURS: max(joins)}, 500),
        Figure(name, "creation to receipt, longest of all", "ms", {OURS: _longest(run)}, 1_000),
        Figure(name, "process memory each", "KB", {OURS: memory}, 10 * 1024),
        Figure(name, "CPU per 100 connections, idle, of a core", "%", {OURS: (idle - base) / hundreds}, 1),
        Figure(name, "the same, at one notification a minute each", "%", {OURS: (busy - base) / hundreds}, 1),
    ]
    for figure in asked:
        assert figure.target
        print(f"  {figure.name}: {figure.target / figure.values[OURS]:,.1f} times better than asked for")
    return [
        *asked,
        Figure(
            name, "connection established, a thousand at once, median", "ms", {OURS: statistics.median(joins)}
        ),
        Figure(name, "creation to receipt, p50", "ms", {OURS: float(np.median(run.from_call)) * 1e3}),
        Figure(name, "received once and in order", "%", {OURS: run.share}, 100, at_least=True),
        Figure(name, f"the whole process, with {FIRST} connections", "%", {OURS: base}),
        Figure(name, "the whole process, with the thousand", "%", {OURS: idle}),
        Figure(name, "the whole process, at one notification a minute each", "%", {OURS: busy}),
        Figure(name, "viewers lost", "", {OURS: faults}, 0),
    ]


def _share_of_core(load: Load, server: Ours) -> float:
    """Returns per cent of a core while nothing happens."""
    cpu = proc.cpu_seconds(server.pid)
    load.run(lambda: False, IDLE_SECONDS)
    return 100 * (proc.cpu_seconds(server.pid) - cpu) / IDLE_SECONDS


def one_user(contest: Contest) -> list[Figure]:
    """Two writers send one user 200 notifications a second; and the cost of a list of 100,000 notifications."""
    with contest.ours() as server, Load() as load:
        user, crowded = contest.stand.users(2)
        load.add([_room(server, user)])
        load.join_all()
        run = deliver(load, server, contest.stand.notifying([Feed(user.id, 0)], 200, 2_000, writers=2))
        _fill(contest, crowded)
        times = {what: _timed(crowded, path) for what, path in _PATHS.items()}
    say(OURS, run)
    name, ours = "one-user", "two writers, 200 notifications a second"
    return [
        Figure(name, f"{ours}: dense and in order", "%", {OURS: run.share}, 100, at_least=True),
        Figure(
            name, f"{ours}: creation to receipt, p50", "ms", {OURS: float(np.median(run.from_call)) * 1e3}
        ),
        Figure(name, f"{ours}: creation to receipt, p99", "ms", {OURS: _share(run, 99)}),
        Figure(name, f"{ours}: creation to receipt, longest", "ms", {OURS: _longest(run)}, 1_000),
        *(
            Figure(name, f"{MANY:,} notifications: {what}, median", "ms", {OURS: value}, 10)
            for what, value in times.items()
        ),
    ]


_PATHS = {
    "unread-count": "notifications/unread-count",
    "first page": "notifications",
    "first page of the unread": "notifications?unread=true",
    "first page of the read": "notifications?unread=false",
}


def _room(server: Ours, user: User, number: int = 0) -> SseRoom:
    headers = f"Authorization: Bearer {user.token}\r\n"
    return SseRoom(server.address, "/api/notifications/stream", number, 0, headers)


def _fill(contest: Contest, user: User) -> None:
    """Creates notifications, every other one read, with ascending times."""
    contest.stand.system.sql(
        """INSERT INTO notifications (id, user_id, sequence, notification_type, title, message, urgent, metadata,
                                      created_at, read_at)
           SELECT gen_random_uuid(), %s, n, 'info', 'Number ' || n, repeat('x', 200), false, '{}',
                  now() - (%s - n) * interval '1 second', CASE WHEN n %% 2 = 0 THEN now() END
           FROM generate_series(1, %s) AS n""",
        *(user.id, MANY, MANY),
    )
    contest.stand.system.sql("INSERT INTO inboxes (user_id, unread) VALUES (%s, %s)", user.id, MANY // 2)
    contest.stand.system.sql("INSERT INTO streams (name, last_seq) VALUES (%s, %s)", f"user:{user.id}", MANY)
    contest.stand.system.sql("ANALYZE notifications")


def _timed(user: User, path: str) -> float:
    """Returns the milliseconds of a request, measured by the client."""
    headers, times = {"Authorization": f"Bearer {user.token}"}, []
    for _ in range(CALLS):
        began = time.perf_counter()
        response = user.client.get(f"/api/v2/{path}", headers=headers)
        times.append((time.perf_counter() - began) * 1e3)
        assert response.status_code == 200, response.text
    return statistics.median(times)


def _longest(run: Run) -> float:
    return _share(run, 100)


def _share(run: Run, share: float) -> float:
    return float(np.percentile(run.from_call, share)) * 1e3
