"""Statements that fill a database with so many tasks that Postgres needs an index."""

from __future__ import annotations

# Every fourth failed, every thousandth has a title of its own; two each were made at the same moment, in ten tenants.
FILL = """
WITH made AS (SELECT n, gen_random_uuid() AS id FROM generate_series(1, 10000) AS n),
kept AS (INSERT INTO streams (name, last_seq, closed) SELECT 'task:' || id, 1, true FROM made RETURNING id, name)
INSERT INTO tasks (id, stream_id, user_id, tenant, job_type, title, intent, params, trigger, created_at, status)
SELECT made.id, kept.id, %s::uuid, 'tenant ' || n / 2 %% 10, 'emit_load',
    CASE WHEN n %% 1000 = 0 THEN 'Report ' || n ELSE 'Task' END,
    'execute_command', '{}', 'manual', timestamptz '2020-01-01 00:00Z' - n / 2 * interval '1 s',
    CASE WHEN n %% 4 = 0 THEN 'FAILURE' ELSE 'SUCCESS' END
FROM made JOIN kept ON kept.name = 'task:' || made.id RETURNING 1"""


# Two users, and their tenants, one after the other.
IN_ORDER = """
WITH made AS (SELECT n, gen_random_uuid() AS id FROM generate_series(1, 20000) AS n),
kept AS (INSERT INTO streams (name, last_seq, closed) SELECT 'task:' || id, 1, true FROM made RETURNING id, name)
INSERT INTO tasks (id, stream_id, user_id, tenant, job_type, title, intent, params, trigger, created_at, status)
SELECT made.id, kept.id, CASE WHEN n <= 14000 THEN %s::uuid ELSE %s::uuid END,
    CASE WHEN n <= 14000 THEN 'gone' ELSE 'here' END, 'emit_load', 'Task', 'execute_command', '{}', 'manual',
    timestamptz '2020-01-01 00:00Z' + n * interval '1 s', 'SUCCESS'
FROM made JOIN kept ON kept.name = 'task:' || made.id ORDER BY n RETURNING 1"""
