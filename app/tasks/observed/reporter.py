"""The account or key that reports, and the ids that its texts become."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID, uuid5

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reporter:
    """``key`` is the id of the API key, else of the account; ``tenant`` is that of the key. ``serves_all``: it may name
    owners without a tenant."""

    user_id: str
    name: str
    tenant: str | None
    key: str
    serves_all: bool = False

    def uuid_of(self, text: str) -> str:
        """Returns the id itself when it is a UUID; another text is an id of this key's own."""
        return text.lower() if _UUID.fullmatch(text) else str(uuid5(UUID(self.key), text))

    def may_report(self, user_id: str, tenant: str | None) -> bool:
        """Whether it may report for a task of this owner and tenant."""
        return user_id == self.user_id or (tenant is not None and tenant == self.tenant)
