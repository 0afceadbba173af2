"""What the attackers find: many tasks, and a long log."""

from __future__ import annotations

from tests.support.system import System, User


def finished_tasks(system: System, user: User, count: int) -> list[str]:
    """Creates so many finished tasks of this user; returns the ids of some."""
    rows = system.sql(
        """WITH made AS (INSERT INTO streams (name, last_seq)
               SELECT 'task:' || gen_random_uuid(), 0 FROM generate_series(1, %s) RETURNING id, name)
           INSERT INTO tasks (id, stream_id, user_id, job_type, title, intent, params, trigger, created_at, status,
                              finished_at)
           SELECT substr(name, 6)::uuid, id, %s, 'emit_load', 'Number ' || id || ' ' || repeat('x', 150),
                  'execute_command', '{}', 'manual', now() - id * interval '1 second', 'SUCCESS', now()
           FROM made RETURNING id::text""",
        *(count, user.id),
    )
    system.sql("ANALYZE")
    return [id for (id,) in rows[:200]]


def long_log(system: System, task: str, lines: int) -> None:
    """Adds that many lines to the log of a task."""
    stream = f"task:{task}"
    system.sql(
        """WITH log AS (UPDATE streams SET last_seq = last_seq + %s WHERE name = %s RETURNING id, last_seq)
           INSERT INTO events (stream_id, seq, type, level, payload)
           SELECT id, seq, 'log', 'INFO', json_build_object('stream', %s, 'task_id', %s, 'sequence', seq,
               'timestamp', '2026-01-02T03:04:05.678901Z', 'level', 'INFO', 'message', repeat('x', 200),
               'component', null, 'phase', null)
           FROM log, generate_series(last_seq - %s + 1, last_seq) AS seq""",
        *(lines, stream, stream, task, lines),
    )
