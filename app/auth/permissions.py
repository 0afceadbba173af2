"""The permissions of a principal. Every read, write and room is checked here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.auth.ancestors import Ancestors
from app.auth.owners import Owner, Owners
from app.auth.principal import SESSION, Principal
from app.errors import Forbidden, Foreign, NotFound
from app.services import services
from app.stream.event import BROADCAST, task_stream, user_stream


def readable_task(principal: Principal, task_id: str) -> str:
    """Returns the id when the principal may read the task. Raises NotFound for missing and foreign tasks alike."""
    return _task(principal, task_id)[0]


def readable_room(principal: Principal, room: str) -> str:
    """Returns the stream of a room as clients name it (``task:<id>``, ``user``, ``broadcast``), when the principal may
    read it. Raises NotFound."""
    kind, _, key = room.partition(":")
    if kind == "broadcast":
        return broadcast_stream(principal)
    if kind not in ("task", "user"):
        raise NotFound("There is no such room")
    try:
        id = str(UUID(key)) if key or kind == "task" else principal.user_id
    except ValueError:
        raise NotFound("There is no such room") from None
    if kind == "task":
        return task_stream(readable_task(principal, id))
    if id != principal.user_id:
        raise Foreign("There is no such room")
    return own_stream(principal)


def own_stream(principal: Principal) -> str:
    """Returns the stream of the principal's account. Raises Forbidden for a share token, which has none."""
    _refuse_share(principal)
    return user_stream(principal.user_id)


def broadcast_stream(principal: Principal) -> str:
    """Returns the stream of announcements to all users. Raises Forbidden for a share token."""
    _refuse_share(principal)
    return BROADCAST


def owner_of(principal: Principal, task_id: str) -> str:
    """Returns the id of the owner of a task that the principal may read. Raises NotFound like readable_task."""
    return _task(principal, task_id)[1]


def managed_shares(principal: Principal, task_id: str) -> tuple[str, bool]:
    """Returns the id, and whether the principal sees and revokes all shares of the task, not only its own. Raises
    NotFound like readable_task."""
    owner = _readable(principal, task_id)
    return task_id, principal.manages(owner)


def changeable_task(principal: Principal, task_id: str) -> tuple[str, str]:
    """Returns the ids of the task and its owner when the principal may change the task. Raises NotFound like
    readable_task; Forbidden when the principal may only read."""
    found = _task(principal, task_id)
    may_write(principal)
    return found


def reportable_task(principal: Principal, task_id: str) -> str:
    """Returns the id when the principal may report events of the task. Raises NotFound for missing and foreign tasks
    alike; Forbidden when the principal may only read or change it."""
    owner = services()[Owners].of(task_id)
    if owner is None or not (principal.may_report(owner) or principal.may_read(owner)):
        raise _no_task(owner)
    if not principal.may_report(owner):
        raise Forbidden("Only a worker reports events")
    return task_id


def history_of(principal: Principal, task_id: str) -> tuple[str, dict[str, str]]:
    """Returns the id, and whose runs are the history of the task for this principal: those of its tenant where the
    principal reads them, else its owner's. Raises NotFound like readable_task."""
    owner = _readable(principal, task_id)
    reads = principal.is_global or (principal.reads_tenant and principal.tenant == owner.tenant)
    return task_id, {"tenant": owner.tenant} if owner.tenant and reads else {"user_id": owner.user_id}


def _task(principal: Principal, task_id: str) -> tuple[str, str]:
    return task_id, _readable(principal, task_id).user_id


def _readable(principal: Principal, task_id: str) -> Owner:
    owner = services()[Owners].of(task_id)
    if owner is None:
        raise _no_task(owner)
    run = principal.shared_task
    if not (principal.may_read(owner) if run is None else services()[Ancestors].is_within(task_id, run)):
        raise _no_task(owner)
    return owner


def _no_task(owner: Owner | None) -> NotFound:
    return (Foreign if owner else NotFound)("There is no such task")


def require_scope(principal: Principal, scope: str, shared: bool = False) -> None:
    """Raises Forbidden when the principal is an API key without the scope; ``SESSION`` refuses all keys. A share token
    is refused unless the call is for ``shared`` runs."""
    if not shared:
        _refuse_share(principal)
    if not principal.may_use(scope):
        raise Forbidden(
            "An API key may not do this; sign in"
            if scope == SESSION
            else f"This API key lacks the scope {scope}"
        )


def _refuse_share(principal: Principal) -> None:
    if principal.shared_task is not None:
        raise Forbidden("A share token reads its run only")


def may_report_new(principal: Principal) -> None:
    """Raises Forbidden when the principal may not report tasks of its own: it may only read, or is a key without the
    scope ``report``."""
    may_write(principal)
    require_scope(principal, "report")


def may_write(principal: Principal) -> None:
    """Raises Forbidden when the principal may only read."""
    if not principal.may_act:
        raise Forbidden("A viewer may not change anything")


def may_announce(principal: Principal) -> None:
    """Raises Forbidden when the principal may not announce to all users."""
    if not principal.may_announce:
        raise Forbidden("Only an admin of all tenants may announce to all users")


def may_operate(principal: Principal) -> None:
    """Raises Forbidden when the principal may not pause our queues nor drain our workers, which serve all tenants."""
    if not principal.may_operate:
        raise Forbidden(
            "Queues and workers serve all tenants: only an operator without a tenant may hold them"
        )


def webhook_tenant(principal: Principal) -> str:
    """Returns the tenant whose events a webhook of the principal may receive. Raises Forbidden."""
    tenant = principal.administers
    if tenant is None:
        raise Forbidden("Only an admin of a tenant may send all its events to a webhook")
    return tenant


def administered_tenant(principal: Principal) -> str:
    """Returns the tenant whose API keys the principal may see and revoke. Raises Forbidden."""
    if principal.administers is None:
        raise Forbidden("Only an admin of a tenant may see all its API keys")
    return principal.administers


def list_filter(principal: Principal, scope: str, parent_id: str | None) -> dict[str, Any]:
    """Returns the filter of a list of tasks like ``scope_filter``; for a share token all children of one task of its
    run. Raises Forbidden; NotFound for a parent that the token does not read."""
    if principal.shared_task is None:
        return scope_filter(principal, scope)
    if parent_id is None:
        raise Forbidden("A share token lists the children of its run only: name parent_id")
    readable_task(principal, parent_id)
    return {}


def of_person(whose: dict[str, Any], user_id: str | None) -> dict[str, Any]:
    """Returns the filter of a list of tasks, narrowed to those of one user. Raises Forbidden for another user where the
    list is of the caller's own tasks."""
    if user_id is None:
        return whose
    if whose.get("user_id", user_id) != user_id:
        raise Forbidden("scope=own lists the caller's own tasks; name another scope")
    return whose | {"user_id": user_id}


def readable_filter(principal: Principal) -> dict[str, str]:
    """Returns whose tasks the principal may read, below one that it reads; empty for all."""
    return {} if principal.shared_task is not None else visible(principal)


def scope_filter(principal: Principal, scope: str) -> dict[str, Any]:
    """Returns the filter of a list: the caller's own tasks, those of its tenant, or all. Raises Forbidden."""
    if scope == "own":
        return {"user_id": principal.user_id}
    if scope == "all":
        if not principal.is_global:
            raise Forbidden("Only an admin of all tenants may read the tasks of all")
        return {"everyone": True}
    if principal.tenant is None or not principal.reads_tenant:
        raise Forbidden("This account may not read the tasks of a tenant")
    return {"tenant": principal.tenant}


def visible(principal: Principal) -> dict[str, str]:
    """Returns the user and the tenant whose tasks, workers and queues the principal may see; empty for all."""
    if principal.is_global:
        return {}
    tenant = {"tenant": principal.tenant} if principal.tenant is not None and principal.reads_tenant else {}
    return {"user_id": principal.user_id, **tenant}
