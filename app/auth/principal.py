"""The user of a request or connection, and the rights of its role.

Roles also stand in the claims of other issuers (``issuers.py``) and in SQL that selects users by their role: reminders,
webhooks of a tenant, the plans of runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports SQLAlchemy, and script/cli needs the names of the roles at once
    from app.auth.owners import Owner

# docs/auth.md has the table of their rights.
ROLES = ("viewer", "operator", "worker", "admin", "global_admin")
READ_TENANT = frozenset({"viewer", "operator", "admin", "global_admin"})
LONGEST_TENANT = 128  # characters
SCOPES = ("report", "read", "start", "act")  # of API keys; docs/auth.md has the table of their calls
SESSION = "session"  # is declared by calls that no key may make


@dataclass(frozen=True, slots=True)
class Principal:
    """``expires_at`` is the expiry of the token or key, in epoch seconds; infinite for a key that does not expire.
    ``session_id`` of a key is the key's id, and of a share token the share's: what ends a session ends these.

    A share token has no account: ``user_id`` is the share's id too, so that it has no rights of a user, and limits of
    its own."""

    user_id: str
    email: str
    role: str
    tenant: str | None
    session_id: str
    expires_at: float
    scopes: frozenset[str] | None = None  # of an API key; None: a session, which has all of its role
    key_id: str | None = None
    shared_task: str | None = None  # of a share token: it reads this run and its children only
    shared_by: str | None = None  # the account that made the share

    def may_use(self, scope: str) -> bool:
        """Whether it may make calls that declare this scope, as far as its role permits them."""
        return self.scopes is None or scope in self.scopes

    @property
    def is_stored(self) -> bool:
        """Whether Postgres has its rights, which may change at any moment: those of an API key or share token."""
        return self.key_id is not None or self.shared_task is not None

    @property
    def reads_tenant(self) -> bool:
        """Whether it may read its tenant's tasks. Accounts without a tenant have nothing in common."""
        return self.tenant is not None and self.role in READ_TENANT

    @property
    def is_global(self) -> bool:
        """Whether its rights hold for all tenants."""
        return self.role == "global_admin"

    @property
    def administers(self) -> str | None:
        """The tenant that it is an admin of."""
        return self.tenant if self.role in ("admin", "global_admin") else None

    @property
    def may_announce(self) -> bool:
        """Whether it may announce to all users. An admin of a tenant may not; without tenants, an admin has none."""
        return self.is_global or (self.role == "admin" and self.tenant is None)

    @property
    def may_operate(self) -> bool:
        """Whether it may pause our queues and drain our workers: who is of a tenant must not stop those of others."""
        return self.is_global or (self.role in ("operator", "admin") and self.tenant is None)

    def has_rights_of(self, other: Principal) -> bool:
        """Whether it may replace the other on a connection, whose rooms were joined with the other's rights."""
        mine, its = (
            (who.user_id, who.role, who.tenant, who.scopes, who.shared_task) for who in (self, other)
        )
        return mine == its

    @property
    def may_act(self) -> bool:
        """Whether it may change what it may read."""
        return self.role != "viewer"

    def may_share(self, task: Owner) -> bool:
        """Whether it may give others the right to read the task."""
        return self.may_act and self.may_read(task)

    def manages(self, task: Owner) -> bool:
        """Whether it may see and revoke all shares of the task, not only those that it made."""
        mine = self.user_id == task.user_id or self.is_global
        return mine or (self.administers is not None and self.administers == task.tenant)

    def may_report(self, task: Owner) -> bool:
        """Whether it may report events of the task. A worker serves the users of its tenant, or those without a
        tenant."""
        if self.role == "worker":
            return self.tenant == task.tenant
        return self.is_global or (self.administers is not None and self.administers == task.tenant)

    def may_read(self, task: Owner) -> bool:
        if self.is_global or self.user_id == task.user_id:
            return True
        return self.reads_tenant and self.tenant == task.tenant


def may_hold_key(role: str, tenant: str | None, key_tenant: str | None) -> bool:
    """Returns whether an account may have a key of that tenant: of its own, a global admin of any."""
    return role == "global_admin" or tenant == key_tenant


def tenant_of(text: str) -> str | None:
    """Returns the name of a tenant; None for an empty one. Raises ValueError for an invalid name."""
    name = text.strip()
    if len(name) > LONGEST_TENANT or not name.isprintable():
        raise ValueError(f"a tenant's name is at most {LONGEST_TENANT} printable characters")
    return name or None
