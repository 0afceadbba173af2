"""Where a task is in the tree: its parent, its group and its root, by the ids under which Taskroom has them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from taskroom.celery.options import Options

LONGEST_ID = 155
# A header of a message that a task which is not reported has sent: the next task above it that is, or an empty text.
PARENT = "taskroom_parent"


def reported_id(celery_id: Any) -> str:
    """The id under which a task is reported: Celery's own, unless it is too long."""
    text = celery_id if celery_id.__class__ is str else str(celery_id)
    return text if len(text) <= LONGEST_ID else str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def place(task_id: str, parent: Any, group: Any, root: Any) -> dict[str, str]:
    """The fields that say where the task is, as far as there is something to say. A task that was sent again by itself
    is not its own parent."""
    found = {}
    for name, of in (("parent_id", parent), ("group_id", group), ("root_id", root)):
        if of and (other := reported_id(of)) != task_id:
            found[name] = other
    return found


def place_in(headers: Mapping[str, Any], task_id: str, options: Options) -> dict[str, str]:
    """As ``place``, for a message. Its headers are also the attributes of the request that Celery makes of it."""
    if not options.tree:
        return {}
    parent = headers.get(PARENT)
    if parent is None:
        parent = headers.get("parent_id")
    return place(task_id, parent, headers.get("group"), headers.get("root_id"))


def above(request: Any) -> str:
    """The next task above a task that is not reported; the empty text for none."""
    said = getattr(request, PARENT, None)
    if said is not None:
        return str(said)
    parent = request.parent_id
    return str(parent) if parent and parent != request.id else ""
