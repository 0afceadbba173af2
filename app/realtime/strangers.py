"""Engine.IO sessions that have not signed in: limits of their number, for an address and in all, and of their time."""

from __future__ import annotations

import time
from collections.abc import Iterator

from app.errors import TooMany
from app.realtime.joins import Full

SIGN_IN_SECONDS = 20.0
# For an address as many as nginx allows; in all fewer than there may be viewers, for each signs in within moments.
OF_AN_ADDRESS, IN_ALL = 2_000, 10_000
RETRY_SECONDS = 2


class Strangers:
    """``of_an_address`` and ``in_all`` limit the sessions at a time; None sets no limit for an address."""

    def __init__(self, of_an_address: int | None = OF_AN_ADDRESS, in_all: int = IN_ALL) -> None:
        self._of_an_address, self._in_all = of_an_address, in_all
        self._here: dict[str, tuple[float, str]] = {}  # time and address, the oldest first
        self._addresses: dict[str, int] = {}
        self.left = 0  # that never signed in, since the start

    def __len__(self) -> int:
        return len(self._here)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._here

    def admit(self, address: str) -> None:
        """Checks whether one more may come. Raises TooMany for the address's limit, Full for the process's."""
        if self._of_an_address is not None and self._addresses.get(address, 0) >= self._of_an_address:
            raise TooMany(
                f"An address has {self._of_an_address:,} sockets at most that have not signed in",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        if len(self._here) >= self._in_all:
            raise Full("Too many sockets are about to sign in; try again")

    def come(self, session_id: str, address: str) -> None:
        """Starts the session's time to sign in."""
        self._forget(session_id)  # the dict is in the order of the times
        self._here[session_id] = time.monotonic(), address
        self._addresses[address] = self._addresses.get(address, 0) + 1

    def known(self, session_id: str) -> None:
        """The session has signed in."""
        self._forget(session_id)

    def leave(self, session_id: str) -> None:
        self.left += self._forget(session_id)

    def late(self) -> Iterator[str]:
        """Yields the sessions whose time is over, and removes them."""
        until = time.monotonic() - SIGN_IN_SECONDS
        while self._here:
            session_id, (since, _) = next(iter(self._here.items()))
            if since > until:
                return
            self.leave(session_id)
            yield session_id

    def _forget(self, session_id: str) -> bool:
        found = self._here.pop(session_id, None)
        if found is None:
            return False
        _, address = found
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]
        return True
