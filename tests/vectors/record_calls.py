"""Writes calls.json: all calls that can be refused and change something, and those with a name of their own, as the
title and the kind of their entry in the trail. (The page *Trail* says of any other call what it reads.)

Run by hand when there is a route more or less: ``python -m tests.vectors.record_calls``. The page *Trail* has words for
each (static/src/state/refused-call.test.ts), and tests/api/test_trail_of_calls.py compares it with the routes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from app.auth.access_log import KEYS, PART, SESSIONS
from tests.api.access_table import TABLE

FILE = Path(__file__).with_name("calls.json")
# Their entries have the names of KEYS and SESSIONS in place of the call.
NAMED = re.compile(r"\w+ /api/v2/(auth/|keys$|keys/|tasks/[^/]+/share)")
SOCKET = (
    *("connect", "refresh_token", "join_task", "leave_task", "join_events", "leave_events"),
    *("join_notifications", "join_broadcast", "leave_broadcast"),
)


def calls() -> list[list[str]]:
    routes = {row.partition("?")[0] for row in TABLE}
    paths = [
        PART.sub(r"{\1}", route)
        for route in routes
        if not route.startswith("GET ") and not NAMED.match(route)
    ]
    named = {*SESSIONS.values(), *KEYS.values()} - {"sign_in", "sign_out"}
    return sorted([call, _kind(call)] for call in {*paths, *named, *SOCKET})


def _kind(call: str) -> str:
    """As app/auth/access_log.py, ``_about``, has it."""
    if "{task_id}" in call or call.startswith("share_"):
        return "task"
    return next((kind for kind in ("queue", "worker") if f"/{kind}s/{{name}}" in call), "call")


if __name__ == "__main__":
    FILE.write_text("[\n" + ",\n".join(json.dumps(call) for call in calls()) + "\n]\n")
