"""What a principal may see and change. Every read, write and room goes through here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.auth import access_log
from app.auth.owners import Owner, Owners
from app.auth.principal import Principal
from app.errors import Forbidden, NotFound
from app.services import services
from app.stream.event import BROADCAST, task_stream, user_stream


def readable_task(principal: Principal, task_id: str) -> str:
    """The id again, when this principal may see the task; NotFound for absent and foreign alike."""
    return _task(principal, task_id)[0]


def readable_room(principal: Principal, room: str) -> str:
    """The stream of a room as clients name it (``task:<id>``, ``user``, ``broadcast``), when this principal may see it.
    Raises NotFound."""
    kind, _, key = room.partition(":")
    if kind == "broadcast":
        return BROADCAST
    try:
        id = str(UUID(key)) if key or kind == "task" else principal.user_id
    except ValueError:
        raise NotFound("There is no such room") from None
    if kind == "task":
        return task_stream(readable_task(principal, id))
    if id != principal.user_id:
        access_log.foreign()
        raise NotFound("There is no such room")
    return own_stream(principal)


def own_stream(principal: Principal) -> str:
    return user_stream(principal.user_id)


def changeable_task(principal: Principal, task_id: str) -> tuple[str, str]:
    """The id, and its owner's, when this principal may act on the task. Raises NotFound as readable_task does, and
    Forbidden where it may only look."""
    found = _task(principal, task_id)
    may_write(principal)
    return found


def reportable_task(principal: Principal, task_id: str) -> str:
    """The id again, when this principal may say what happens to the task. Raises NotFound for absent and foreign alike,
    Forbidden where it may only look or act."""
    owner = services()[Owners].of(task_id)
    if owner is None or not (principal.may_report(owner) or principal.may_read(owner)):
        raise _no_task(owner)
    if not principal.may_report(owner):
        raise Forbidden("Only a worker reports what happens")
    return task_id


def _task(principal: Principal, task_id: str) -> tuple[str, str]:
    owner = services()[Owners].of(task_id)
    if owner is None or not principal.may_read(owner):
        raise _no_task(owner)
    return task_id, owner.user_id


def _no_task(owner: Owner | None) -> NotFound:
    if owner:
        access_log.foreign()
    return NotFound("There is no such task")


def may_write(principal: Principal) -> None:
    """Raises Forbidden."""
    if not principal.may_act:
        raise Forbidden("A viewer may look, not act")


def may_announce(principal: Principal) -> None:
    """Raises Forbidden."""
    if not principal.may_announce:
        raise Forbidden("Only an admin of all speaks to everybody")


def hooked_tenant(principal: Principal) -> str:
    """The tenant whose events this principal may have sent to a webhook. Raises Forbidden."""
    tenant = principal.administers
    if tenant is None:
        raise Forbidden("Only an admin of a tenant may have all its events sent")
    return tenant


def whose(principal: Principal, scope: str) -> dict[str, Any]:
    """What a list is narrowed to: the caller's own tasks, or its tenant's. Raises Forbidden."""
    if scope == "own":
        return {"user_id": principal.user_id}
    if principal.tenant is None or not principal.reads_tenant:
        raise Forbidden("This account reads no tenant's tasks")
    return {"tenant": principal.tenant}
