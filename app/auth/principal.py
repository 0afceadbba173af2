"""Who a request or connection speaks for, and what that one may: the only place where roles are weighed."""

from __future__ import annotations

from dataclasses import dataclass

from app.auth.owners import Owner

# docs/auth.md has the table of what each may.
ROLES = ("viewer", "operator", "worker", "admin", "global_admin")
READ_TENANT = frozenset({"viewer", "operator", "admin", "global_admin"})
LONGEST_TENANT = 128  # characters


@dataclass(frozen=True, slots=True)
class Principal:
    """``expires_at`` is when its token does, in epoch seconds."""

    user_id: str
    email: str
    role: str
    tenant: str | None
    session_id: str
    expires_at: float

    @property
    def reads_tenant(self) -> bool:
        """Without a tenant nobody does: two accounts that have none have nothing in common."""
        return self.tenant is not None and self.role in READ_TENANT

    @property
    def is_global(self) -> bool:
        """Every tenant's."""
        return self.role == "global_admin"

    @property
    def administers(self) -> str | None:
        """The tenant whose admin it is."""
        return self.tenant if self.role in ("admin", "global_admin") else None

    @property
    def may_announce(self) -> bool:
        """To everybody, so no tenant's admin may; where there are no tenants an admin has none."""
        return self.is_global or (self.role == "admin" and self.tenant is None)

    def is_as(self, other: Principal) -> bool:
        """Whether it may stand in for the other: rooms were joined by the other's rights."""
        return (self.user_id, self.role, self.tenant) == (other.user_id, other.role, other.tenant)

    @property
    def may_act(self) -> bool:
        """On whatever it may read."""
        return self.role != "viewer"

    def may_report(self, task: Owner) -> bool:
        """What happens to it. A worker serves all users of its tenant; one without a tenant those that have none."""
        if self.role == "worker":
            return self.tenant == task.tenant
        return self.is_global or (self.administers is not None and self.administers == task.tenant)

    def may_read(self, task: Owner) -> bool:
        if self.is_global or self.user_id == task.user_id:
            return True
        return self.reads_tenant and self.tenant == task.tenant


def tenant_of(text: str) -> str | None:
    """The tenant of that name; None for an empty one. Raises ValueError for what is no name."""
    name = text.strip()
    if len(name) > LONGEST_TENANT or not name.isprintable():
        raise ValueError(f"a tenant's name is at most {LONGEST_TENANT} printable characters")
    return name or None
