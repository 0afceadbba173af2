"""The rights that somebody has at this moment, for what is done later in its name, in any process."""

from __future__ import annotations

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.auth import api_keys
from app.auth.owners import Owner
from app.auth.principal import Principal
from app.db.statements import Statement, as_text
from app.errors import Forbidden, Foreign, NotFound
from app.models.accounts import User
from app.models.tasks import Task

_ACCOUNT = Statement(
    sa.select(User.email, User.role, User.tenant, User.closed_at.is_not(None)).where(
        User.id == sa.bindparam("user")
    )
)
_OWNER = Statement(sa.select(*as_text(Task.user_id), Task.tenant).where(Task.id == sa.bindparam("task")))


def principal_now(cur: Cursor, user_id: str, key_id: str | None) -> Principal:
    """Returns the account as it is now, or its API key. Raises Forbidden when the key has ended or the account was
    closed."""
    if key_id is not None:
        key = api_keys.present(cur, [key_id]).get(key_id)
        if key is None:
            raise Forbidden("The API key that asked for this was revoked or has expired")
        return key
    email, role, tenant, closed = _ACCOUNT.execute(cur, user=user_id).fetchall()[0]
    if closed:
        raise Forbidden("The account that asked for this was closed")
    return Principal(user_id, email, role, tenant, "", float("inf"))


def changing(cur: Cursor, user_id: str, key_id: str | None, task_id: str) -> tuple[Principal, Owner]:
    """Returns who may change the task now, and the task's owner. Raises Forbidden and NotFound, as a call would be
    refused."""
    principal = principal_now(cur, user_id, key_id)
    if not principal.may_use("act"):
        raise Forbidden("This API key lacks the scope act")
    row = _OWNER.execute(cur, task=task_id).fetchone()
    owner = Owner(*row) if row else None
    if owner is None or not principal.may_read(owner):
        raise (Foreign if owner else NotFound)("There is no such task")
    if not principal.may_act:
        raise Forbidden("A viewer may not change anything")
    return principal, owner
