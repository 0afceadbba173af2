"""Whose tasks a statement is about, as ``permissions.scope_filter`` says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Whose = Mapping[str, Any]
"""The user or the tenant, by the name of its column; ``everyone`` for all."""

OWNED = {"user_id": "user_id = %(whose)s", "tenant": "tenant = %(whose)s", "everyone": "%(whose)s"}
"""The condition of a table that has these columns; ``everyone`` is true."""
