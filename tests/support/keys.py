"""API keys of users, and clients that have nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.system import User

KEYS = "/api/v2/keys"
ALL = ("report", "read", "start", "act")


@dataclass(slots=True)
class KeyHolder(User):
    """A client whose ``token`` is an API key."""

    key_id: str


def make(user: User, *scopes: str, **more: Any) -> dict[str, Any]:
    """Makes a key with these scopes, else with all."""
    answer = user.client.post(KEYS, json={"name": "a test", "scopes": scopes or ALL} | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@contextmanager
def holder(user: User, *scopes: str, url: str = "", **more: Any) -> Iterator[KeyHolder]:
    """Makes a key; yields a client that has it and no session."""
    made = make(user, *scopes, **more)
    with holding(user, made["key"], made["id"], url) as found:
        yield found


@contextmanager
def holding(user: User, key: str, key_id: str = "", url: str = "") -> Iterator[KeyHolder]:
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url or user.client.base_url, headers=headers, timeout=60) as client:
        yield KeyHolder(user.id, user.email, key, client, key_id)
