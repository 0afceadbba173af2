"""The principals of API keys and share tokens, as their owners are at this moment: each is read from Postgres once a
second at most."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Protocol

from cachetools import LRUCache, TTLCache
from psycopg2.extensions import cursor as Cursor

from app.auth import api_keys, shares
from app.auth.key_text import SHARE_PREFIX, hash_of
from app.auth.principal import Principal
from app.auth.revocations import Revocations
from app.errors import Unauthorized
from app.stream.single_flight import SingleFlight
from app.stream.store import Connect

CACHED_SECONDS = 1.0
KEPT_KEYS = 20_000
WRITTEN_SECONDS = 60.0  # between two times of a key's last use


class Guesses(Protocol):
    """Limits wrong keys by the address of the current request."""

    def check(self) -> None:
        """Raises TooMany while the address may send no key that is not known."""

    def failed(self) -> None:
        """Counts a wrong key. Raises TooMany when there were too many."""


class KeyAuthenticator:
    """``read`` and ``write`` lend connections for single statements. All calls come from one loop."""

    def __init__(
        self,
        read: Connect,
        write: Connect,
        revocations: Revocations,
        guesses: Guesses,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._write = read, write
        self._revocations, self._guesses, self._clock = revocations, guesses, clock
        self._single_flight: SingleFlight[Principal | None] = SingleFlight()
        # By hash: the principal, and the time until which it is not read again. A hash that was valid once is kept: its
        # key is looked up also while the address may not guess, for others may send from there.
        self._known: LRUCache[str, tuple[Principal, float]] = LRUCache(KEPT_KEYS)
        self._used: set[str] = set()
        self._written: TTLCache[str, None] = TTLCache(KEPT_KEYS, WRITTEN_SECONDS, clock)

    def of_key(self, key: str) -> Principal:
        """Returns the principal of a key or share token. Raises Unauthorized; TooMany after many wrong ones;
        DatabaseUnavailable."""
        hashed = hash_of(key)
        known = self._known.get(hashed)
        if known is None:
            self._guesses.check()
        if known is None or known[1] <= self._clock():
            until = self._clock() + CACHED_SECONDS  # before it is read
            find = shares.find if key.startswith(SHARE_PREFIX) else api_keys.find
            principal = self._single_flight(hashed, lambda: self._find(find, hashed))
            if principal is not None:
                self._known[hashed] = principal, until
        else:
            principal = known[0]
        if principal is None or self._has_ended(principal):
            self._known.pop(hashed, None)
            self._guesses.failed()
            what = "share token" if key.startswith(SHARE_PREFIX) else "API key"
            raise Unauthorized(f"The {what} is wrong, was revoked or has expired")
        if principal.key_id and principal.session_id not in self._written:
            self._used.add(principal.session_id)
        return principal

    def of_id(self, id: str) -> Principal | None:
        """Returns the principal of a key or share, read from Postgres; None when it has ended. Raises
        DatabaseUnavailable."""
        return self.present([id]).get(id)

    def present(self, ids: Collection[str]) -> dict[str, Principal]:
        """Returns the principals of those of the keys and shares that are live, by id, read from Postgres. Raises
        DatabaseUnavailable."""
        with self._read() as conn, conn.cursor() as cur:
            found = api_keys.present(cur, ids)
            if len(found) < len(ids):
                found |= shares.present(cur, set(ids) - found.keys())
        return {id: principal for id, principal in found.items() if not self._has_ended(principal)}

    def write_used(self) -> None:
        """Writes when the keys were used last, each once a minute at most. Raises DatabaseUnavailable; they are written
        later then."""
        if not self._used:
            return
        ids = set(self._used)
        with self._write() as conn, conn.cursor() as cur:
            api_keys.used(cur, ids, timedelta(seconds=WRITTEN_SECONDS))
        self._used -= ids
        self._written.update(dict.fromkeys(ids))

    def _find(self, find: Callable[[Cursor, str], Principal | None], hashed: str) -> Principal | None:
        with self._read() as conn, conn.cursor() as cur:
            return find(cur, hashed)

    def _has_ended(self, principal: Principal) -> bool:
        return principal.expires_at <= time.time() or principal.session_id in self._revocations
