"""The trail: who did what to what. Each deed adds its entry in its own transaction, so that it has one if and only if
it was done. No entry holds a token, a key or a password. app/auth/refusals.py adds what was refused."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import cursor as Cursor

from app.auth.principal import Principal
from app.db.statements import composed
from app.models.accounts import ApiKey, User
from app.models.tasks import Task
from app.models.trail import TrailEntry
from app.models.views import SavedView
from app.models.webhooks import Webhook
from app.stream.event import shortened

# What can be done, in groups that a reader may want to see alone. docs/auth.md says what each is.
GROUPS = {
    "runs": ("cancel", "retry", "bulk_cancel", "bulk_retry"),
    "approvals": ("approve", "reject"),
    "shares": ("share_made", "share_revoked"),
    "keys": ("key_made", "key_revoked"),
    "sign_ins": ("sign_in", "sign_out"),
    "accounts": ("account_made", "account_changed", "account_closed", "trial_set"),
    "webhooks": ("webhook_made", "webhook_enabled", "webhook_disabled", "webhook_removed"),
    "views": ("view_made", "view_changed", "view_shared", "view_unshared", "view_removed"),
    "operation": ("pause", "resume", "drain", "undrain", "announce"),
    "refusals": ("refused",),
}
ACTIONS = tuple(action for group in GROUPS.values() for action in group)
BULK = ("bulk_cancel", "bulk_retry")  # of many runs; their deeds have entries of their own
OPERATOR = "script/cli"  # the name of who uses the commands at the server, where there are no accounts
LONGEST_NOTE, LONGEST_TITLE = 500, 255

# Of the current request. Workers and commands, which have none, import this module and no Flask.
caller_address: ContextVar[str | None] = ContextVar("caller_address", default=None)

_given = {
    **{name: sa.cast(sa.bindparam(name), sa.Uuid) for name in ("user_id", "key_id", "bulk_id")},
    **{
        name: sa.cast(sa.bindparam(name), sa.Text)
        for name in ("user_name", "address", "action", "kind", "target", "title", "note", "tenant")
    },
    "number": sa.cast(sa.bindparam("number"), sa.Integer),
}
_key_name = sa.select(ApiKey.name).where(ApiKey.id == _given["key_id"]).scalar_subquery()
# Of things that have a row: where it is read, its name, its owner and its tenant.
_THINGS: dict[str, tuple[Any, Any, Any, Any]] = {
    "task": (Task, Task.title, Task.user_id, Task.tenant),
    "key": (ApiKey, ApiKey.name, ApiKey.user_id, ApiKey.tenant),
    "webhook": (Webhook, _given["title"], Webhook.user_id, Webhook.tenant),
    "account": (User, User.email, User.id, User.tenant),
    "view": (SavedView, SavedView.name, SavedView.user_id, SavedView.tenant),
}
KINDS = (*_THINGS, "session", "queue", "worker", "tenant", "everybody", "call")


def record(
    cur: Cursor,
    by: Principal | None,
    action: str,
    kind: str,
    target: str | None = None,
    title: str = "",
    note: str = "",
    tenant: str | None = None,
    bulk_id: str | None = None,
) -> None:
    """Adds the entry of a deed, in the transaction of the deed and before it removes what it is done to.

    ``by`` is who did it; None an operator's command. ``action`` is one of ACTIONS, ``kind`` one of KINDS and ``target``
    the id of what it was done to. The name, owner and tenant of a task, key, account or view are read here; ``title``
    is the name of anything else, and ``tenant`` its tenant where that is not the one of who did it. ``note`` says more,
    such as a reason. ``bulk_id`` is the run of the bulk action that it belongs to, or that it is: that counts the runs
    later (app/auth/bulk_trail.py). Nothing is added for a task, key, webhook, account or view that has no row.
    """
    assert action in ACTIONS and kind in KINDS, f"{action} {kind}"
    _insert(kind if kind in _THINGS else None).execute(
        cur,
        user_id=by and by.user_id,
        user_name=by.email if by else OPERATOR,
        key_id=by and by.key_id,
        tenant=by.tenant if by and tenant is None else tenant,
        address=caller_address.get(),
        action=action,
        kind=kind,
        target=target,
        title=shortened(title, LONGEST_TITLE),
        note=shortened(note, LONGEST_NOTE),
        bulk_id=bulk_id,
        number=0 if action in BULK else 1,
    )


@composed
def _insert(kind: str | None) -> sa.Insert:
    """Inserts an entry about a thing of a kind that has rows, or of another one."""
    columns: dict[str, sa.ColumnElement[Any]] = _given | {"key_name": _key_name}
    if kind is not None:
        model, title, owner, tenant = _THINGS[kind]
        columns["title"] = title
        columns["owner_id"] = sa.func.nullif(owner, _given["user_id"])
        columns["tenant"] = sa.func.coalesce(tenant, _given["tenant"])
    entry = sa.select(*columns.values())
    if kind is not None:
        entry = entry.where(model.id == sa.cast(sa.bindparam("target"), sa.Uuid))
    return sa.insert(TrailEntry).from_select(list(columns), entry)
