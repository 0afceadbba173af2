"""Log lines put straight into a task's stream, for what no job of the tests would write."""

from __future__ import annotations

import json
from typing import Any

from tests.support.system import System, User

AT = "2026-01-02T03:04:05.000006Z"


def task_with_logs(system: System, user: User, lines: list[dict[str, Any]], repeat: int = 1) -> str:
    """A task that has ended, its stream continued by these lines (level, message, phase), ``repeat`` times over."""
    task_id = user.start("test_echo", text="the first line")
    head = user.finished(task_id)["sequence"]
    stream = f"task:{task_id}"
    payloads = [
        json.dumps({"timestamp": AT, "level": "INFO", "component": None, "phase": None} | line)
        for line in lines
    ]
    system.sql(
        """INSERT INTO events (stream_id, seq, type, level, phase, payload)
           SELECT streams.id, %s + n, 'log', line ->> 'level', line ->> 'phase',
                  '{"stream":"' || name || '","task_id":"' || %s || '","sequence":' || (%s + n) || ','
                  || substr(text, 2)
           FROM streams, generate_series(1, %s) AS n,
                LATERAL (SELECT (%s::text[])[1 + (n - 1) %% %s] AS text) AS chosen,
                LATERAL (SELECT text::json AS line) AS parsed
           WHERE name = %s""",
        *(head, task_id, head, len(lines) * repeat, payloads, len(lines), stream),
    )
    system.sql("UPDATE streams SET last_seq = %s WHERE name = %s", head + len(lines) * repeat, stream)
    return task_id
