"""Taskroom alone: what the pages of a team ask, over a million tasks of its tenant; and what the sums cost an end."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np

from app.db.persistent import PersistentConnection
from app.tasks import job_sums, run_sums
from bench.contest import Contest
from bench.figures import OURS, Figure
from bench.stand import Stand
from tests.support.system import User

TASKS = 1_000_000
DAYS, JOBS, PEOPLE = 30, 7, 5  # 5,040 job-hours
PHASES = 7  # of each run that ends
WARM, CALLS, PASSES = 3, 60, 3
PAGE_MS, END_MS = 50, 0.3
ENDS, ROUNDS = 1_000, 7

# A tenth are parents with four steps each. The work of a job type is one person's. Of the newest thousand 440 are open,
# 40 of them steps that wait for approval. Those that did not succeed have phases, failures also errors in their log.
_FILL = """
CREATE TABLE made AS SELECT n, md5('task ' || n)::uuid AS id, now() - n * interval '{days} days' / {tasks} AS at,
    CASE WHEN n % 10 BETWEEN 1 AND 4 THEN md5('task ' || n - n % 10)::uuid END AS parent_id, n / 10 % {jobs} AS job,
    CASE WHEN n < 1000 AND n % 25 = 3 THEN 'WAITING' WHEN n < 1000 AND n % 5 = 2 THEN 'STARTED'
        WHEN n < 1000 AND n % 5 = 4 THEN 'PENDING' WHEN n % 50 = 17 THEN 'FAILURE' WHEN n % 71 = 0 THEN 'REVOKED'
        ELSE 'SUCCESS' END AS status
    FROM generate_series(0, {tasks} - 1) AS n;
INSERT INTO streams (name, last_seq, closed, fully_pruned) SELECT 'task:' || id, 1, true, true FROM made;
ALTER TABLE tasks DISABLE TRIGGER USER;
INSERT INTO tasks (id, stream_id, user_id, tenant, parent_id, job_type, title, intent, params, trigger, created_at,
    started_at, finished_at, status)
SELECT made.id, streams.id, people.id, 'team', parent_id, 'team.job_' || job,
    CASE WHEN n % 100000 = 7 THEN 'Needle ' || n ELSE 'Task ' || n END, 'execute_command', '{{}}', 'manual', at, at,
    CASE WHEN status IN ('SUCCESS', 'FAILURE', 'REVOKED') THEN at + (n * 7919::bigint % 90 + 1) * interval '1 s' END,
    status
FROM made JOIN streams ON streams.name = 'task:' || made.id
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS number FROM users WHERE tenant = 'team') AS people
    ON people.number = job % {people}
ORDER BY n DESC;
ALTER TABLE tasks ENABLE TRIGGER USER;
INSERT INTO phases (task_id, phase_id, position, status, error_count, started_at, updated_at, duration_seconds)
    SELECT id, 'phase ' || place, place, 'completed', place, at, at, 5 FROM made, generate_series(1, 3) AS place
    WHERE status <> 'SUCCESS';
INSERT INTO events (stream_id, seq, type, level, payload)
    SELECT streams.id, seq, 'log', 'ERROR', '{{}}' FROM made JOIN streams ON streams.name = 'task:' || made.id,
        generate_series(1, 3) AS seq WHERE status = 'FAILURE';
INSERT INTO task_counts (user_id, tenant, status, number)
    SELECT user_id, tenant, status, count(*) FROM tasks WHERE tenant = 'team' GROUP BY 1, 2, 3;
INSERT INTO list_sums (user_id, tenant, job_type, hour, status, is_step, number, is_new)
    SELECT user_id, tenant, job_type, date_trunc('hour', created_at, 'UTC') AS hour, status, parent_id IS NOT NULL,
        count(*), false FROM tasks WHERE tenant = 'team' AND finished_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY hour;
INSERT INTO run_sums (user_id, tenant, job_type, hour, status, bucket, number, is_new)
    SELECT user_id, tenant, job_type, date_trunc('hour', finished_at, 'UTC') AS hour, status,
        ceil(ln(extract(epoch FROM finished_at - started_at)) / ln(1.04))::int, count(*), false
    FROM tasks WHERE tenant = 'team' AND finished_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY hour;
INSERT INTO job_sums (user_id, tenant, job_type, hour, phases, positions, buckets, numbers, is_new)
    SELECT user_id, 'team', job_type, hour, array_agg('phase ' || phase), array_agg(phase),
        array_agg(10 * phase + bucket), array_agg(3), false
    FROM (SELECT DISTINCT user_id, job_type, hour FROM run_sums WHERE tenant = 'team') AS hours,
        generate_series(1, {phases}) AS phase, generate_series(1, 60) AS bucket
    GROUP BY user_id, job_type, hour ORDER BY hour;
INSERT INTO job_sums (user_id, tenant, job_type, hour, succeeded, failed, revoked, run_buckets, run_numbers, phases,
    positions, buckets, numbers, is_new)
    SELECT user_id, 'team', job_type, hour, coalesce(sum(number) FILTER (WHERE status = 'SUCCESS'), 0),
        coalesce(sum(number) FILTER (WHERE status = 'FAILURE'), 0),
        coalesce(sum(number) FILTER (WHERE status = 'REVOKED'), 0),
        coalesce(array_agg(bucket) FILTER (WHERE status = 'SUCCESS'), '{{}}'),
        coalesce(array_agg(number) FILTER (WHERE status = 'SUCCESS'), '{{}}'),
        '{{}}', '{{}}', '{{}}', '{{}}', true
    FROM run_sums WHERE tenant = 'team' GROUP BY user_id, job_type, hour ORDER BY hour;
DROP TABLE made"""

# Ends so many running tasks, one by one, and tells the microseconds of each.
_END = f"""
DO $$ DECLARE began timestamptz; taken interval := '0'; task uuid;
BEGIN
    FOR task IN SELECT id FROM tasks WHERE tenant = 'team' AND finished_at IS NULL LIMIT {ENDS} LOOP
        began := clock_timestamp();
        UPDATE tasks SET status = 'SUCCESS', finished_at = now(), updated_at = now() WHERE id = task;
        taken := taken + (clock_timestamp() - began);
    END LOOP;
    PERFORM set_config('bench.taken', (1e6 * extract(epoch FROM taken) / {ENDS})::text, false);
END $$"""
_PHASES = f"""
INSERT INTO phases (task_id, phase_id, position, status, started_at, updated_at, duration_seconds)
    SELECT tasks.id, 'phase ' || place, place, 'completed', started_at, started_at, 5 FROM tasks,
        generate_series(1, {PHASES}) AS place WHERE tenant = 'team' AND finished_at IS NULL ON CONFLICT DO NOTHING"""
_TRIGGERS = "task_ended", "task_summed", "task_job_summed", "task_changed"


def team(contest: Contest) -> list[Figure]:
    """Each request by itself, as a client sees it; then ends of tasks, with the triggers that keep sums and without."""
    stand = contest.stand
    with contest.ours():
        lead, admin, *people = stand.users(PEOPLE + 2)
        ids = [person.id for person in people]
        stand.system.sql("UPDATE users SET tenant = 'team' WHERE id = ANY(%s::uuid[]) RETURNING 1", ids)
        _fill(stand)
        lead, admin = (
            _with_role(stand, lead, "viewer", "team"),
            _with_role(stand, admin, "global_admin", None),
        )
        passes = [_times(lead, admin, people[0]) for _ in range(PASSES)]
        with_sums, without = _ends(stand)
    name = "team"
    return [
        *(
            Figure(
                name,
                f"{TASKS:,} tasks of a tenant: {what}, p95 of {CALLS}",
                "ms",
                {OURS: float(np.median([times[what] for times in passes]))},
                PAGE_MS,
            )
            for what in passes[0]
        ),
        Figure(name, "an end in Postgres without sums", "ms", {OURS: without}),
        Figure(name, "what the sums add to it", "ms", {OURS: with_sums - without}, END_MS),
    ]


def _fill(stand: Stand) -> None:
    for statement in _FILL.format(tasks=TASKS, days=DAYS, jobs=JOBS, people=PEOPLE, phases=PHASES).split(";"):
        stand.system.sql(statement.replace("%", "%%"))
    with closing(PersistentConnection(stand.database_url)) as connect:
        run_sums.sum_up(connect)  # as beat does
        job_sums.sum_up(connect)
    for table in ("tasks", "streams", "phases", "events", "task_counts", "list_sums", "run_sums", "job_sums"):
        stand.system.sql(f"ANALYZE {table}")


def _with_role(stand: Stand, user: User, role: str, tenant: str | None) -> User:
    """Gives the user the role in the tenant, or in all; its tokens of before are refused."""
    stand.system.sql(
        "UPDATE users SET role = %s, tenant = %s WHERE id = %s RETURNING 1", role, tenant, user.id
    )
    return stand.again(user, role=role, tenant=tenant)


def _times(lead: User, admin: User, person: User) -> dict[str, float]:
    """Returns the milliseconds of each page, as a viewer of the tenant and as an admin of all see it."""
    times = {what: _p95(lead, path) for what, path in _asked(person).items()}
    return times | {f"{what}, of all": _p95(admin, path) for what, path in _asked_of_all().items()}


def _asked(person: User) -> dict[str, str]:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    day, month, since, until = (
        (hour - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (1, DAYS, 20, 19)
    )
    long_ago = f"&from={since}&to={until}"
    pages = {
        "first page": "",
        "without steps": "&top=true",
        "without steps, a page of 200": "&top=true&limit=200",
        "of a person": f"&top=true&who={person.id}",
        "of a day": f"&top=true&from={day}",
        "failures": "&top=true&status=FAILURE",
        "failures, a page of 200": "&status=FAILURE&limit=200",
        "what needs approval": "&top=true&approval=true",
        "failures of a job type": "&top=true&status=FAILURE&job_type=team.job_3",
        "with errors": "&top=true&errors=true",
        "longer than 85 s": "&top=true&min_seconds=85",
        "longer than any": "&top=true&min_seconds=1000",
        "a text that none has": "&top=true&q=nowhere",
        # Of 2,300 combinations of filters those that read most.
        "with errors, of a job type, a day long ago": f"&job_type=team.job_3&errors=true{long_ago}",
        "with errors, of a person, a day long ago": f"&who={person.id}&errors=true{long_ago}",
        "failures of a person, of a type that has none": f"&who={person.id}&status=FAILURE&job_type=team.none",
        "of a person, a text that none has": f"&top=true&who={person.id}&q=nowhere",
    }
    counts = {
        "all": "",
        "without steps": "&top=true",
        "of a day": f"&top=true&from={day}",
        "of a job type in a month": f"&top=true&from={month}&job_type=team.job_3",
        "of a person": f"&top=true&who={person.id}",
        "with errors": "&errors=true",
        "with errors, of a job type": "&job_type=team.job_3&errors=true",
        "with errors, of a person": f"&who={person.id}&errors=true&top=true",
        "what needs approval": "&top=true&approval=true",
        "of a text": "&q=needle",
    }
    return {
        **{f"list, {what}": f"tasks?scope=tenant{query}" for what, query in pages.items()},
        **{f"counts, {what}": f"tasks/counts?scope=tenant{query}" for what, query in counts.items()},
        **{f"histogram, {w}": f"tasks/histogram?scope=tenant&top=true&window={w}" for w in ("24h", "30d")},
        "histogram of a person, 30d": f"tasks/histogram?scope=tenant&top=true&window=30d&who={person.id}",
        **{f"statistics, {w}": f"jobs/team.job_3/stats?scope=tenant&window={w}" for w in ("7d", "30d")},
        "all jobs": "jobs/stats?scope=tenant",
        "job types": "tasks/types?scope=tenant",
        "people": "tasks/people?scope=tenant",
        "workers": "workers",
        "queues": "queues",
    }


def _asked_of_all() -> dict[str, str]:
    month = (datetime.now(UTC) - timedelta(days=DAYS)).strftime("%Y-%m-%dT%H:00:00Z")
    pages = {
        "without steps": "&top=true",
        "failures": "&top=true&status=FAILURE",
        "what needs approval": "&top=true&approval=true",
        "longer than any": "&top=true&min_seconds=1000",
    }
    return {
        **{f"list, {what}": f"tasks?scope=all{query}" for what, query in pages.items()},
        "counts": "tasks/counts?scope=all&top=true",
        "counts of a job type in a month": f"tasks/counts?scope=all&top=true&from={month}&job_type=team.job_3",
        "histogram, 30d": "tasks/histogram?scope=all&top=true&window=30d",
        "all jobs": "jobs/stats?scope=all",
        "statistics, 30d": "jobs/team.job_3/stats?scope=all&window=30d",
    }


def _p95(user: User, path: str) -> float:
    headers, times = {"Authorization": f"Bearer {user.token}"}, []
    for _ in range(WARM + CALLS):
        began = time.perf_counter()
        response = user.client.get(f"/api/v2/{path}", headers=headers)
        times.append((time.perf_counter() - began) * 1e3)
        assert response.status_code == 200, response.text
    return float(np.percentile(times[WARM:], 95))


def _ends(stand: Stand) -> tuple[float, float]:
    """Returns the milliseconds of an end with the triggers and without, medians of rounds that alternate."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * ROUNDS):
        summed = number % 2 == 0
        change = ", ".join(f"{'ENABLE' if summed else 'DISABLE'} TRIGGER {name}" for name in _TRIGGERS)
        stand.system.sql(f"ALTER TABLE tasks {change}")
        stand.system.sql(
            "UPDATE tasks SET status = 'STARTED', finished_at = NULL WHERE id IN "
            "(SELECT id FROM tasks WHERE tenant = 'team' AND status = 'SUCCESS' LIMIT %s)",
            ENDS,
        )
        stand.system.sql(_PHASES)
        taken = stand.system.sql(f"{_END}; SELECT current_setting('bench.taken')".replace("%", "%%"))
        found[summed].append(float(taken[0][0]) / 1e3)
    return float(np.median(found[True])), float(np.median(found[False]))
