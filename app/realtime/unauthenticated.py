"""Limits of Engine.IO sessions that have not signed in: their number, for an address and in total, and their time."""

from __future__ import annotations

import time
from collections.abc import Iterator

from app.errors import Full, TooMany

SIGN_IN_SECONDS = 20.0
# For an address as many as nginx allows; in total fewer than MAX_VIEWERS, as a session signs in within moments.
PER_ADDRESS, IN_TOTAL = 2_000, 10_000
RETRY_SECONDS = 2


class UnauthenticatedSockets:
    """``per_address`` and ``in_total`` limit the sessions at a time; None sets no limit for an address."""

    def __init__(self, per_address: int | None = PER_ADDRESS, in_total: int = IN_TOTAL) -> None:
        self._per_address, self._in_total = per_address, in_total
        self._sessions: dict[str, tuple[float, str]] = {}  # start time and address, the oldest first
        self._addresses: dict[str, int] = {}
        self.left = 0  # sessions that ended without a sign-in, since the start

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._sessions

    def admit(self, address: str) -> None:
        """Raises TooMany when the address has its limit of sessions, Full when the process has."""
        if self._per_address is not None and self._addresses.get(address, 0) >= self._per_address:
            raise TooMany(
                f"An address has {self._per_address:,} sockets at most that have not signed in",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        if len(self._sessions) >= self._in_total:
            raise Full("Too many sockets are about to sign in; try again")

    def add(self, session_id: str, address: str) -> None:
        """Starts the session's time to sign in."""
        self._discard(session_id)  # the dict is in the order of the times
        self._sessions[session_id] = time.monotonic(), address
        self._addresses[address] = self._addresses.get(address, 0) + 1

    def signed_in(self, session_id: str) -> None:
        self._discard(session_id)

    def remove(self, session_id: str) -> None:
        self.left += self._discard(session_id)

    def expired(self) -> Iterator[str]:
        """Removes and yields the sessions whose time is over."""
        until = time.monotonic() - SIGN_IN_SECONDS
        while self._sessions:
            session_id, (since, _) = next(iter(self._sessions.items()))
            if since > until:
                return
            self.remove(session_id)
            yield session_id

    def _discard(self, session_id: str) -> bool:
        found = self._sessions.pop(session_id, None)
        if found is None:
            return False
        _, address = found
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]
        return True
