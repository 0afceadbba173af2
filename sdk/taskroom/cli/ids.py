"""Which run is meant: by its id, the beginning of it, or the address of its page."""

from __future__ import annotations

import re
import uuid

from taskroom.cli.api import Api, Refused
from taskroom.cli.faults import Fault

SHORTEST = 6
MOST_PAGES = 20  # of a search, 5,000 runs each
HELP = f"the id of a run, its first {SHORTEST} characters or more, or the address of its page"

_BEGINNING = re.compile(rf"[0-9a-f][0-9a-f-]{{{SHORTEST - 1},35}}\Z")


def find(api: Api, given: str) -> str:
    """The whole id. Raises Fault when there is no such run, or more than one."""
    given = given.strip().rstrip("/").rpartition("/")[2].lower()
    try:
        return str(uuid.UUID(given))
    except ValueError:
        pass
    if not _BEGINNING.match(given):
        raise Fault(f"{given!r} is no run; give {HELP}, as taskroom ls shows them")
    found = _beginning_with(api, given, "own") or _of_tenant(api, given)
    if not found:
        raise Fault(f"no run begins with {given}; taskroom ls shows the newest")
    if len(found) > 1:
        raise Fault(
            f"{len(found)} runs begin with {given}, such as {' and '.join(found[:2])}; give more of the id"
        )
    return found[0]


def _of_tenant(api: Api, beginning: str) -> list[str]:
    try:
        return _beginning_with(api, beginning, "tenant")
    except Refused as refused:
        if refused.status == 403:  # of an account without a tenant, say
            return []
        raise


def _beginning_with(api: Api, beginning: str, scope: str) -> list[str]:
    """The ids of runs that begin so. A page of a search may be empty, and more come on the next."""
    found: list[str] = []
    cursor = None
    for _ in range(MOST_PAGES):
        page = api.get("tasks", q=beginning, scope=scope, limit=200, cursor=cursor)
        found += [row["task_id"] for row in page["tasks"] if row["task_id"].startswith(beginning)]
        cursor = page["next"]
        if cursor is None:
            break
    return found
