"""The parameters of a task with its secrets, which only its worker gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.jobs.secrets import masked_places


def params_with_secrets(cur: Cursor, task: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the parameters of a task of ours as they were given. ``task`` has those that readers see."""
    shown: Mapping[str, Any] = task["params"]
    if next(masked_places(shown), None) is None:
        return shown
    cur.execute("SELECT coalesce(secret_params, params) FROM tasks WHERE id = %s", (task["task_id"],))
    ((params,),) = cur.fetchall()
    return dict(params)
